/**
 * Load that rises and falls over a minute in waves, and two controllers that start and stop worker processes: one obeys
 * the scale endpoint and nothing else, one speaks KEDA's protocol as its operator does, from zero workers and back.
 *   node bench/scale.ts --plot docs/scaling/load-and-workers.png
 */
import { rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endpointController, KedaController } from './support/scale-controllers.ts';
import { RawClient } from '../test/server/support/raw-client.ts';
import { openBenchFolder } from './support/bench-folder.ts';
import { plotRuns, type PlottedRun } from './support/scale-plot.ts';
import { figuresOf, runScale, type ScaleRunOptions } from './support/scale-run.ts';

interface Variant extends Pick<ScaleRunOptions, 'minWorkers' | 'openController'> {
  readonly title: string;
}

const ACTIVITY_MS = 1000;
const PER_WORKER = 5;

function variants(maxWorkers: number, windowSeconds: number): readonly Variant[] {
  const windowMs = windowSeconds * 1000;
  return [
    {
      title: 'By the scale endpoint',
      minWorkers: 1,
      openController: ({ httpEndpoint }) =>
        endpointController(httpEndpoint, `min=1&max=${maxWorkers}&windowSeconds=${windowSeconds}`),
    },
    {
      title: "By KEDA's protocol, from zero",
      minWorkers: 0,
      openController: ({ endpoint }) => openKeda(endpoint, maxWorkers, windowMs),
    },
  ];
}

function openKeda(endpoint: string, maxReplicas: number, windowMs: number) {
  const client = new RawClient(Number(new URL(endpoint).port));
  const keda = new KedaController(client, {
    ...{ maxReplicas, maxConcurrentWorkItems: PER_WORKER },
    ...{ syncMs: 1000, windowMs, cooldownMs: windowMs },
  });
  return {
    decide: (workers: number) => keda.decide(workers),
    close: () => {
      keda.close();
      client.close();
    },
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      peak: { type: 'string', default: '30' },
      max: { type: 'string', default: '8' },
      wave: { type: 'string', default: '3' },
      window: { type: 'string', default: '10' },
      plot: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const max = Number(values.max);
  const windowSeconds = Number(values.window);
  const folder = openBenchFolder();
  const runs: PlottedRun[] = [];
  try {
    for (const [index, variant] of variants(max, windowSeconds).entries()) {
      const { title } = variant;
      process.stderr.write(`${title}\n`);
      const points = await runScale({
        ...variant,
        ...{ storage: `sqlite:${join(folder, `${index}.db`)}` },
        ...{ loadMs: Number(values.seconds) * 1000, waveMs: Number(values.wave) * 1000 },
        peakPerSecond: Number(values.peak),
        ...{ activitiesPerWorker: PER_WORKER, activityMs: ACTIVITY_MS },
        onProgress: (line) => process.stderr.write(`  ${line}\n`),
      });
      const conditions = [
        `${variant.minWorkers} to ${max} workers, each doing ${PER_WORKER} jobs of ${ACTIVITY_MS / 1000} s at once`,
        `work comes every ${values.wave} s`,
        `fewer workers after ${windowSeconds} s`,
      ];
      runs.push({ title, subtitle: conditions.join('; '), points });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (values.json) process.stdout.write(`${JSON.stringify(runs.map(summary))}\n`);
  else print(runs);
  if (values.plot !== undefined) await plotRuns(runs, values.plot);
}

function summary({ title, points }: PlottedRun) {
  return { title, ...figuresOf(points) };
}

function print(runs: readonly PlottedRun[]): void {
  const lines = [
    `Node ${process.version}, ${cpus().length} CPUs; a job is one activity of ${ACTIVITY_MS} ms, ${PER_WORKER} at once in each worker`,
    '',
    '| Controller | Jobs started | Completed | Backlog at most | Workers (least, most, end) | Direction changes | Of what each moment asked for | Seconds |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...runs.map(({ title, points }) => {
      const figures = figuresOf(points);
      const { workersMin, workersMax, workersEnd } = figures;
      return [
        `| ${title}`,
        ...[figures.started, figures.completed, figures.backlogPeak],
        [workersMin, workersMax, workersEnd].join(', '),
        ...[figures.directionChanges, figures.rawDirectionChanges],
        `${figures.seconds.toFixed(0)} |`,
      ].join(' | ');
    }),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

await main();
