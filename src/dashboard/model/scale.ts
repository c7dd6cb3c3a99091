/** Time on paper: a line that leaves out stretches in which nothing happened, and says so where it does. */

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A stretch of time that is drawn as a mark of fixed width. */
export interface Break extends Span {
  readonly x: number;
}

/** Width of a break in px. */
export const BREAK_WIDTH = 48;
/** A stretch is left out when it is more than this part of what is shown without it and longer ones. */
const IDLE_PART = 0.1;
/** Shorter stretches are part of what happened: pauses before retries, answers of people. */
const IDLE_MIN_MS = 10_000;
/** Breaks take at most this part of the picture. */
const BREAKS_PART = 0.5;
/** The smallest window in ms. */
export const SPAN_MIN_MS = 1;

interface Piece {
  readonly from: number;
  readonly to: number;
  readonly x: number;
  readonly width: number;
  readonly isBreak: boolean;
}

/** Piecewise linear and never falling: an earlier moment is never right of a later one. */
export class TimeScale {
  readonly from: number;
  readonly to: number;
  /** Of the picture, in px. */
  readonly width: number;
  readonly breaks: readonly Break[];
  readonly #pieces: readonly Piece[];

  /** `idle` lies in order, without overlap; what of it is outside of the window does not count. */
  constructor({ from, to }: Span, width: number, idle: readonly Span[] = []) {
    this.from = from;
    this.to = Math.max(to, from + SPAN_MIN_MS);
    this.width = width;
    this.#pieces = piecesOf({ from, to: this.to }, width, idle);
    this.breaks = this.#pieces.filter(({ isBreak }) => isBreak);
  }

  /** May be far outside of the picture: moments before and after the window go on at the pace of its ends. */
  xOf(at: number): number {
    const piece = this.#pieces.find(({ to }) => at <= to) ?? this.#pieces.at(-1);
    if (!piece) return 0;
    return piece.x + ((at - piece.from) / (piece.to - piece.from)) * piece.width;
  }

  /** Kept near the picture: SVG loses precision far outside of it. */
  near(at: number): number {
    return Math.min(this.width + 20, Math.max(-20, this.xOf(at)));
  }

  atOf(x: number): number {
    const piece = this.#pieces.find((each) => x <= each.x + each.width) ?? this.#pieces.at(-1);
    if (!piece) return this.from;
    return piece.from + ((x - piece.x) / piece.width) * (piece.to - piece.from);
  }

  /** The window that shows what lies between two places of this one. */
  span(x1: number, x2: number): Span {
    const [from, to] = [this.atOf(x1), this.atOf(x2)];
    return { from, to: Math.max(to, from + SPAN_MIN_MS) };
  }
}

function piecesOf({ from, to }: Span, width: number, idle: readonly Span[]): readonly Piece[] {
  const left = idle.reduce((sum, each) => sum + each.to - each.from, 0);
  const pace = (width - idle.length * BREAK_WIDTH) / (to - from - left);
  const pieces: Piece[] = [];
  let [at, x] = [from, 0];
  const add = (end: number, isBreak: boolean): void => {
    const wide = isBreak ? BREAK_WIDTH : (end - at) * pace;
    if (end > at) pieces.push({ from: at, to: end, x, width: wide, isBreak });
    at = end;
    x += wide;
  };
  for (const each of idle) {
    add(each.from, false);
    add(each.to, true);
  }
  add(to, false);
  return pieces;
}

export interface Activity {
  /** Moments that must stay visible: everything that began, ended or happened. */
  readonly moments: readonly number[];
  /** Stretches in which something worked. */
  readonly busy: readonly Span[];
}

/** Long stretches that are kept to choose from. */
const GAPS_MAX = 200;

/** Open stretches between two moments in which nothing worked, the longest first. */
export function quietSpans({ moments, busy }: Activity): readonly Span[] {
  const points = Float64Array.from(moments).sort();
  const works = [...busy].sort((a, b) => a.from - b.from);
  const gaps: Span[] = [];
  let [next, busyUntil] = [0, -Infinity];
  points.forEach((to, index) => {
    const from = points[index - 1] ?? to;
    for (let work = works[next]; work && work.from < to; work = works[next]) {
      busyUntil = Math.max(busyUntil, work.to);
      next += 1;
    }
    if (to > from && busyUntil <= from) gaps.push({ from, to });
  });
  return gaps.sort(byLength).slice(0, GAPS_MAX);
}

function byLength(a: Span, b: Span): number {
  return b.to - b.from - (a.to - a.from) || a.from - b.from;
}

/** Which quiet stretches of a window to leave out, in the order of time; `width` is that of the picture in px. */
export function idleSpans(quiet: readonly Span[], window: Span, width: number): readonly Span[] {
  let shown = window.to - window.from;
  const max = Math.floor((width * BREAKS_PART) / BREAK_WIDTH);
  const inside = quiet
    .map(({ from, to }) => ({ from: Math.max(from, window.from), to: Math.min(to, window.to) }))
    .filter(({ from, to }) => to > from)
    .sort(byLength);
  const chosen: Span[] = [];
  for (const gap of inside) {
    const long = gap.to - gap.from;
    const isShort = long < IDLE_MIN_MS || long <= shown * IDLE_PART;
    if (long >= shown || chosen.length >= max || isShort) break;
    chosen.push(gap);
    shown -= long;
  }
  return chosen.sort((a, b) => a.from - b.from);
}

/** A window of the same width, in px, further right or left. */
export function panned(scale: TimeScale, px: number): Span {
  return scale.span(px, scale.width + px);
}

/** A window so many times as wide around the place `x`. */
export function zoomed(scale: TimeScale, factor: number, x: number): Span {
  return scale.span(x - x * factor, x + (scale.width - x) * factor);
}

const STEPS_MS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000),
  ...[1, 2, 3, 6, 12].map((hours) => hours * 3_600_000),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].map((days) => days * 86_400_000),
];

export interface Tick {
  readonly at: number;
  readonly x: number;
  /** In ms, from one tick to the next. */
  readonly step: number;
}

/** Round moments, at least `gap` px apart, none inside a break. `zoneMs` is what the zone is ahead of UTC. */
export function ticksOf(scale: TimeScale, gap: number, zoneMs = 0): readonly Tick[] {
  const hidden = scale.breaks.reduce((sum, { from, to }) => sum + to - from, 0);
  const room = scale.width - scale.breaks.length * BREAK_WIDTH;
  const perPx = (scale.to - scale.from - hidden) / Math.max(1, room);
  const step = STEPS_MS.find((each) => each >= perPx * gap) ?? 2 ** 40;
  const found: Tick[] = [];
  let at = Math.ceil((scale.from + zoneMs) / step) * step - zoneMs;
  while (at <= scale.to) {
    const inside = scale.breaks.find(({ from, to }) => at > from && at < to);
    const next = inside ? Math.ceil((inside.to + zoneMs) / step) * step - zoneMs : at;
    if (inside && next > at) {
      at = next;
      continue;
    }
    const x = scale.xOf(at);
    if (x - (found.at(-1)?.x ?? -Infinity) >= gap * 0.6) found.push({ at, x, step });
    at += step;
  }
  return found;
}
