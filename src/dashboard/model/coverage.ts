/** Many bars in one lane: how many ran at each column of the picture. */
import type { Step } from './story.ts';
import type { TimeScale } from './scale.ts';

/** How many of one state lie over each column of the picture. */
export interface Coverage {
  readonly state: string;
  readonly columns: Uint32Array;
}

const ORDER = ['Completed', 'cancelled', 'unused', 'Running', 'Failed'];

/** By state, those that matter most last, so that they are painted above the others. */
export function coverageOf(
  steps: readonly Step[],
  scale: TimeScale,
  now: number,
): readonly Coverage[] {
  const size = Math.ceil(scale.width) + 1;
  const changes = new Map<string, Int32Array>();
  for (const { tries } of steps) {
    for (const { startAt, endAt = now, state } of tries) {
      if (startAt > scale.to || endAt < scale.from) continue;
      const change = changes.get(state) ?? new Int32Array(size + 1);
      changes.set(state, change);
      const first = Math.max(0, Math.floor(scale.near(startAt)));
      const last = Math.min(size - 1, Math.max(first, Math.ceil(scale.near(endAt)) - 1));
      change[first] = (change[first] ?? 0) + 1;
      change[last + 1] = (change[last + 1] ?? 0) - 1;
    }
  }
  return ORDER.flatMap((state) => {
    const change = changes.get(state);
    return change ? [{ state, columns: summed(change, size) }] : [];
  });
}

function summed(change: Int32Array, size: number): Uint32Array {
  const columns = new Uint32Array(size);
  let count = 0;
  for (let x = 0; x < size; x += 1) columns[x] = count += change[x] ?? 0;
  return columns;
}

/** One path for all columns; the busiest one of `most` is `height` tall, one alone still `least`. */
export function coveragePath(
  columns: Uint32Array,
  { most, height, bottom, least }: Record<'most' | 'height' | 'bottom' | 'least', number>,
): string {
  const tall = (count: number): number =>
    count === 0 ? 0 : Math.round(Math.max(least, Math.sqrt(count / most) * height));
  let path = '';
  for (let x = 0; x < columns.length;) {
    const level = tall(columns[x] ?? 0);
    let end = x + 1;
    while (end < columns.length && tall(columns[end] ?? 0) === level) end += 1;
    if (level > 0) path += `M${x} ${bottom}v${-level}h${end - x}v${level}z`;
    x = end;
  }
  return path;
}
