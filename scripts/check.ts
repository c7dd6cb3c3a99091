/**
 * The one definition of "green": `npm test`, `npm run check` and CI all run this. Two steps run side by side, in the
 * order of the list; the first failure ends both. `node scripts/check.ts lint types` runs only the named ones.
 */
import { runSteps, type Step } from './steps.ts';

const mocha = (timeoutMs: number, ...specs: readonly string[]): readonly string[] => [
  'mocha',
  '--timeout',
  String(timeoutMs),
  ...specs.map((spec) => `test/${spec}/**/*.test.ts`),
];

const PURE = ['core', 'replay', 'wire'];
const ROOMS = [
  'base',
  'client',
  'config',
  'contract',
  'devhost',
  'differential',
  'functions',
  'parity',
  'register',
  'scheduler',
  'server',
  'simulation',
  'storage',
  'telemetry',
  'testing',
  'worker',
];

const coverage = [
  'c8',
  '--check-coverage',
  '--lines=100',
  '--branches=100',
  '--reporter=text-summary',
  ...['core', 'replay'].map((room) => `--include=src/${room}/**`),
  '--exclude-after-remap=false',
];

/** What needs the built package comes early: it is what takes longest, and mostly waits. */
const STEPS: readonly Step[] = [
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { name: 'build', command: ['node', 'scripts/build.ts'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  {
    name: 'end-to-end',
    command: mocha(30_000, 'cli', 'e2e', 'samples'),
    isTest: true,
    after: ['build'],
  },
  { name: 'lint', command: ['eslint', '--max-warnings=0', '.'] },
  { name: 'dashboard-types', command: ['tsc', '--noEmit', '-p', 'src/dashboard'] },
  { name: 'boundaries', command: ['depcruise', '--config', '.dependency-cruiser.js', 'src'] },
  { name: 'dead-code', command: ['knip', '--no-progress'] },
  { name: 'pure', command: [...coverage, ...mocha(5_000, ...PURE)], isTest: true },
  { name: 'rooms', command: mocha(10_000, ...ROOMS), isTest: true },
  { name: 'compatibility', command: mocha(30_000, 'compat'), isTest: true },
  { name: 'dashboard', command: mocha(30_000, 'dashboard'), isTest: true, after: ['build'] },
  // Packing builds anew, under the feet of whoever uses what was built.
  {
    name: 'package',
    command: mocha(180_000, 'package'),
    isTest: true,
    after: ['build', 'end-to-end', 'dashboard'],
  },
  { name: 'node-22', command: ['node', 'scripts/check-node-22.ts'], isTest: true },
];

const names = process.argv.slice(2);
const unknown = names.filter((name) => !STEPS.some((step) => step.name === name));
if (unknown.length > 0) {
  const known = STEPS.map(({ name }) => name).join(', ');
  process.stderr.write(`no such step: ${unknown.join(', ')}; there are ${known}\n`);
  process.exitCode = 2;
} else {
  const steps = names.length === 0 ? STEPS : STEPS.filter(({ name }) => names.includes(name));
  process.exitCode = await runSteps(steps);
}
