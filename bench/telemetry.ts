/**
 * What telemetry costs on hello-sequence: each round runs it without any telemetry code, with telemetry off, and with
 * metrics, a tenth of the traces, every trace, and all of it exported, and compares the runs of that round with each other.
 *   npm run build && node bench/telemetry.ts --rounds 5 --workflows 3000
 */
import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import type { HelloSequenceResult } from './hello-sequence.ts';
import { OtlpSink } from './support/otlp-sink.ts';
import { median } from './support/percentile.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const WITHOUT = new URL('./preloads/without-telemetry.ts', import.meta.url).href;
const WITH = new URL('./preloads/with-telemetry.ts', import.meta.url).href;

const VARIANTS = ['without', 'off', 'metrics', 'traces 10 %', 'traces 100 %', 'all'] as const;
type Variant = (typeof VARIANTS)[number];

/** One run, per workflow: the machine's other work disturbs the CPU time of our processes less than the clock. */
interface Figures {
  readonly workflowsPerSecond: number;
  readonly cpuMs: number;
  /** That the receiver got, of measured and warm-up workflows. */
  readonly spans: number;
}

type Round = Readonly<Record<Variant, Figures>>;

function environment(variant: Variant, sink: OtlpSink): NodeJS.ProcessEnv {
  if (variant === 'without') return { NODE_OPTIONS: `--import=${WITHOUT}` };
  if (variant === 'off') return {};
  return {
    NODE_OPTIONS: `--import=${WITH}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: sink.url,
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: variant === 'traces 10 %' ? '0.1' : '1',
    OTEL_METRIC_EXPORT_INTERVAL: '1000',
    ...(variant === 'metrics' && { OTEL_TRACES_EXPORTER: 'none' }),
    ...(variant.startsWith('traces') && { OTEL_METRICS_EXPORTER: 'none' }),
  };
}

async function run(variant: Variant, sink: OtlpSink, workflows: number): Promise<Figures> {
  const args = ['--worker', 'ours', '--rounds', '1', '--workflows', String(workflows), '--json'];
  sink.takeSpans();
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [MAIN, 'hello-sequence', ...args],
    { env: { ...process.env, ...environment(variant, sink) } },
  );
  const [result] = (JSON.parse(stdout) as { results: readonly HelloSequenceResult[] }).results;
  if (result === undefined) throw new Error('the benchmark printed no result');
  const { server, worker, client } = result.cpuSeconds;
  return {
    workflowsPerSecond: result.workflowsPerSecond,
    cpuMs: ((server + worker + client) * 1000) / workflows,
    spans: sink.takeSpans(),
  };
}

/** Every second round backwards: what drifts on the machine hits first and last alike. */
async function runRound(round: number, sink: OtlpSink, workflows: number): Promise<Round> {
  const figures = new Map<Variant, Figures>();
  for (const variant of round % 2 === 0 ? variants.toReversed() : variants) {
    const found = await run(variant, sink, workflows);
    figures.set(variant, found);
    process.stderr.write(`round ${round}, ${variant}: ${JSON.stringify(found)}\n`);
  }
  return Object.fromEntries(figures) as unknown as Round;
}

function print(rounds: readonly Round[], workflows: number): void {
  const lines = [
    `hello-sequence, ${workflows} workflows a run, ${rounds.length} rounds, Node ${process.version}, ` +
      `${cpus().length} CPUs; ratios to the run without telemetry code of the same round: median (least to most)`,
    '',
    '| Telemetry | Workflows/s | CPU a workflow | Ratio of workflows/s | Ratio of CPU | Spans a workflow |',
    '| --- | --- | --- | --- | --- | --- |',
    ...variants.map((variant) => {
      const own = rounds.map((round) => round[variant]);
      const middle = (value: (each: Figures) => number): number => median(own.map(value));
      const ratios = (value: (each: Figures) => number): string =>
        spread(rounds.map((round) => value(round[variant]) / value(round.without)));
      return [
        `| ${variant}`,
        middle(({ workflowsPerSecond }) => workflowsPerSecond).toFixed(0),
        `${middle(({ cpuMs }) => cpuMs).toFixed(2)} ms`,
        ratios(({ workflowsPerSecond }) => workflowsPerSecond),
        ratios(({ cpuMs }) => cpuMs),
        `${(middle(({ spans }) => spans) / workflows).toFixed(1)} |`,
      ].join(' | ');
    }),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

function spread(ratios: readonly number[]): string {
  const [least, middle, most] = [Math.min(...ratios), median(ratios), Math.max(...ratios)];
  return `${middle.toFixed(3)} (${least.toFixed(3)} to ${most.toFixed(3)})`;
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    workflows: { type: 'string', default: '3000' },
    /** Which to compare with `without`; with commas. */
    variants: { type: 'string', default: VARIANTS.slice(1).join() },
  },
});
const asked = values.variants.split(',');
const variants = VARIANTS.filter((variant) => variant === 'without' || asked.includes(variant));
const sink = await OtlpSink.open();
const rounds: Round[] = [];
try {
  for (let round = 1; round <= Number(values.rounds); round++) {
    rounds.push(await runRound(round, sink, Number(values.workflows)));
  }
} finally {
  await sink.close();
}
print(rounds, Number(values.workflows));
