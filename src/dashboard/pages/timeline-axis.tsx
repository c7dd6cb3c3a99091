/** Above the lanes: the whole run in small with the window on it, and the hours. */
import type { JSX } from 'preact';
import { useMemo, useRef } from 'preact/hooks';
import { timeZoneMode } from '../habits.ts';
import { coverageOf, coveragePath } from '../model/coverage.ts';
import { clockTime, duration } from '../model/format.ts';
import { BREAK_WIDTH, panned, ticksOf, type Span, type TimeScale } from '../model/scale.ts';
import type { Story } from '../model/story.ts';

const HEIGHT = 30;
/** From an end of the window, in px, in which a drag moves that end. */
const GRIP = 7;
/** Room for one time, in px. */
const TICK_GAP = 96;

export interface OverviewProps {
  readonly story: Story;
  /** Of the whole run. */
  readonly whole: TimeScale;
  readonly span: Span;
  readonly now: number;
  readonly setSpan: (next: Span | undefined) => void;
}

/** A drag on an end of the window moves it, one within moves the window, one elsewhere draws a new one. */
export function Overview({ story, whole, span, now, setSpan }: OverviewProps): JSX.Element {
  const element = useRef<SVGSVGElement>(null);
  const isOver = story.endAt !== undefined;
  const coverage = useMemo(
    () => coverageOf(story.steps, whole, now),
    // While it runs, once a second is enough for a picture of this size.
    [story, whole.width, whole.from, isOver ? whole.to : Math.floor(now / 1000)],
  );
  const most = coverage.flatMap(({ columns }) => [...columns]).reduce((a, b) => Math.max(a, b), 1);
  const clamp = (x: number): number => Math.min(whole.width, Math.max(0, x));
  const [x1, x2] = [clamp(whole.xOf(span.from)), clamp(whole.xOf(span.to))];
  const onPointerDown = (event: PointerEvent): void => {
    event.preventDefault();
    const left = element.current?.getBoundingClientRect().left ?? 0;
    const start = event.clientX - left;
    const isWhole = x2 - x1 > whole.width * 0.97;
    const grip = Math.abs(start - x1) < GRIP ? 'from' : Math.abs(start - x2) < GRIP ? 'to' : '';
    const isInside = !isWhole && start > x1 && start < x2;
    const onMove = ({ clientX }: PointerEvent): void => {
      const x = clientX - left;
      if (Math.abs(x - start) < 3) return;
      if (grip === 'from') setSpan(whole.span(Math.min(x, x2 - 2), x2));
      else if (grip === 'to') setSpan(whole.span(x1, Math.max(x, x1 + 2)));
      else if (isInside) setSpan(whole.span(x1 + x - start, x2 + x - start));
      else setSpan(whole.span(clamp(Math.min(start, x)), clamp(Math.max(start, x))));
    };
    const onUp = (): void => removeEventListener('pointermove', onMove);
    addEventListener('pointermove', onMove);
    addEventListener('pointerup', onUp, { once: true });
  };
  const shape = { most, height: HEIGHT - 6, bottom: HEIGHT - 1, least: 2 };
  return (
    <svg
      ref={element}
      class="overview"
      height={HEIGHT}
      viewBox={`0 0 ${whole.width} ${HEIGHT}`}
      aria-hidden="true"
      onPointerDown={onPointerDown}
      onDblClick={() => setSpan(undefined)}
    >
      {coverage.map(({ state, columns }) => (
        <path key={state} d={coveragePath(columns, shape)} class={`strip-${state}`} />
      ))}
      {story.suspensions.map(({ from, to }) => {
        const x = clamp(whole.xOf(from));
        const width = Math.max(1, clamp(whole.xOf(to ?? story.endAt ?? now)) - x);
        return <rect {...{ x, width }} y="0" height={HEIGHT} class="band-Suspended" />;
      })}
      {whole.breaks.map(({ x, from }) => (
        <rect key={from} x={x} y="0" width={BREAK_WIDTH} height={HEIGHT} class="overview-break" />
      ))}
      <rect x="0" y="0" width={x1} height={HEIGHT} class="overview-out" />
      <rect x={x2} y="0" width={whole.width - x2} height={HEIGHT} class="overview-out" />
      <rect x={x1} y="0.5" width={Math.max(2, x2 - x1)} height={HEIGHT - 1} class="overview-in" />
      <path d={`M${x1} 9v12M${x2} 9v12`} class="overview-grip" />
    </svg>
  );
}

/** What the clock is ahead of UTC in ms, so that ticks stand at round hours of it. */
function zoneMs(at: number, isUtc: boolean): number {
  return isUtc ? 0 : -new Date(at).getTimezoneOffset() * 60_000;
}

function tickText(at: number, step: number, isUtc: boolean): string {
  const time = clockTime(at, isUtc);
  if (step >= 86_400_000) return new Date(at + zoneMs(at, isUtc)).toISOString().slice(5, 10);
  if (step >= 60_000) return time.slice(0, 5);
  return step >= 1000 ? time.slice(0, 8) : time;
}

export function Axis({ scale }: { readonly scale: TimeScale }): JSX.Element {
  const isUtc = timeZoneMode.value === 'utc';
  const ticks = ticksOf(scale, TICK_GAP, zoneMs(scale.from, isUtc));
  return (
    <svg class="axis" height="22" viewBox={`0 0 ${scale.width} 22`} aria-hidden="true">
      {scale.breaks.map(({ x, from, to }) => (
        <g key={from}>
          <rect x={x} y="0" width={BREAK_WIDTH} height="22" class="overview-break" />
          <text x={x + BREAK_WIDTH / 2} y="15" text-anchor="middle">
            {duration(to - from)
              .split(' ')
              .slice(0, 2)
              .join(' ')}
          </text>
        </g>
      ))}
      {ticks
        .filter(
          ({ x }) => !scale.breaks.some((each) => x > each.x - 50 && x < each.x + BREAK_WIDTH),
        )
        .map(({ at, x, step }) => (
          <g key={at}>
            <line x1={x} x2={x} y1="16" y2="22" class="turn-line" />
            {x < scale.width - 50 && (
              <text x={x + 3} y="14">
                {tickText(at, step, isUtc)}
              </text>
            )}
          </g>
        ))}
    </svg>
  );
}

/** Windows by keyboard: a tenth of the picture to either side. */
export function nudged(scale: TimeScale, sign: number): Span {
  return panned(scale, (sign * scale.width) / 10);
}
