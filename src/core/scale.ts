/**
 * How many workers a task hub needs: the one computation behind the scale endpoints, the KEDA scaler and the
 * dashboard. Growth is followed at once; shrinking waits until a whole window of samples agrees, so that work that
 * comes in waves does not stop and start workers with each.
 */

/** Work of one kind, and how much of it one worker does at once. */
export interface KindLoad {
  /** Items that could be handed out now. */
  readonly pending: number;
  /** Items that workers have in hand. */
  readonly active: number;
  /** 0: this kind asks for no worker. */
  readonly perWorker: number;
}

export interface ScaleBounds {
  readonly min: number;
  readonly max: number;
}

/** What was seen at one time; epoch ms. */
export interface ScaleSample {
  readonly at: number;
  readonly loads: readonly KindLoad[];
}

export interface ScaleOptions extends ScaleBounds {
  /** Epoch ms. */
  readonly now: number;
  /** How long all samples must agree before workers are taken away. */
  readonly windowMs: number;
  /** Workers that there are; `undefined`: nobody said. */
  readonly workers: number | undefined;
}

export interface ScaleDecision {
  /** What the load of this moment asks for. */
  readonly rawTarget: number;
  /** What to have: the largest raw target of the window, never less than `workers` before a whole window was seen. */
  readonly target: number;
  /** As the Functions host votes: 1 more workers, -1 fewer, 0 neither or nobody said how many there are. */
  readonly vote: ScaleVote;
}

export type ScaleVote = -1 | 0 | 1;

/** How long all samples must agree before workers are taken away; as long as the Functions host keeps samples. */
export const SCALE_WINDOW_MS = 120_000;

/** Largest need of any kind, within the bounds. */
export function rawTarget(loads: readonly KindLoad[], { min, max }: ScaleBounds): number {
  const needs = loads.map(({ pending, active, perWorker }) =>
    perWorker === 0 ? 0 : Math.ceil((pending + active) / perWorker),
  );
  return Math.min(Math.max(min, ...needs), max);
}

/**
 * Adds a sample and drops those that no decision needs any more. One that is older than the window stays, as the proof
 * that a whole window was seen.
 */
export function keepSamples(
  samples: readonly ScaleSample[],
  sample: ScaleSample,
  windowMs: number,
): readonly ScaleSample[] {
  const from = sample.at - windowMs;
  const older = samples.findLast(({ at }) => at <= from);
  const within = samples.filter(({ at }) => at > from);
  return [...(older ? [older] : []), ...within, sample];
}

/** Decides on samples in the order of their time, the last of them being now's. */
export function decideScale(
  samples: readonly ScaleSample[],
  { now, windowMs, workers, ...bounds }: ScaleOptions,
): ScaleDecision {
  const from = now - windowMs;
  const targets = samples
    .filter(({ at }, index) => at > from || index === samples.length - 1)
    .map(({ loads }) => rawTarget(loads, bounds));
  const wanted = Math.max(bounds.min, ...targets);
  const isWhole = samples.some(({ at }) => at <= from);
  const held = Math.min(workers ?? 0, bounds.max);
  const target = isWhole ? wanted : Math.max(wanted, held);
  const vote = workers === undefined ? 0 : (Math.sign(target - workers) as ScaleVote);
  return { rawTarget: targets.at(-1) ?? bounds.min, target, vote };
}
