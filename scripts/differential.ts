/**
 * Runs generated orchestrators on our engine and on durable-functions, turn by turn, and prints what was
 * covered: `node scripts/differential.ts [programs] [seed]`, 5,000 by default. A short run is in `npm test`.
 */
import fc from 'fast-check';
import { compare } from '../test/differential/compare.ts';
import { fates, featuresOf, programs } from '../test/differential/program.ts';
import { fateOf } from '../test/replay/support/simulated-scheduler.ts';

const [count = '5000', seed] = process.argv.slice(2);
const numRuns = Number(count);
const covered = new Map<string, number>();
const total = { programs: 0, turns: 0, actions: 0, ended: 0 };
const startedAt = performance.now();

await fc.assert(
  fc.asyncProperty(programs, fates, async (program, fate) => {
    const { turns, actions, hasEnded } = await compare(program, fateOf(fate));
    total.programs += 1;
    total.turns += turns;
    total.actions += actions;
    total.ended += hasEnded ? 1 : 0;
    for (const feature of featuresOf(program)) {
      covered.set(feature, (covered.get(feature) ?? 0) + 1);
    }
  }),
  { numRuns, ...(seed === undefined ? {} : { seed: Number(seed) }) },
);

const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
process.stdout.write(
  `${total.programs} programs, ${total.turns} turns, ${total.actions} actions, ${total.ended} ended: ` +
    `no difference (${seconds} s)\nprograms with ` +
    [...covered]
      .sort(([, one], [, other]) => other - one)
      .map(([feature, times]) => `${feature} ${times}`)
      .join(', ') +
    '\n',
);
