/** The bars of one step: shape and mark tell its kind and state, colour only repeats it. */
import type { JSX } from 'preact';
import { duration } from '../model/format.ts';
import { BREAK_WIDTH, type TimeScale } from '../model/scale.ts';
import type { Step, Try } from '../model/story.ts';

/** Size of a lane in px: bars lie around the middle. */
export interface Row {
  readonly height: number;
  readonly middle: number;
}

/** About the width of a character in px. */
const CHARACTER = 6.2;

export interface BesideProps {
  readonly scale: TimeScale;
  readonly row: Row;
  /** Where the bar begins and ends. */
  readonly x: number;
  readonly end: number;
  readonly text: string;
}

/** Words beside a bar, never on it, and above the blind over time that is left out, which cuts only the bar. */
export function Beside(props: BesideProps): JSX.Element {
  const { scale, row } = props;
  return (
    <>
      {scale.breaks.map(({ x, from }) => (
        <rect key={from} x={x} y="0" width={BREAK_WIDTH} height={row.height} fill="url(#idle)" />
      ))}
      <Words {...props} />
    </>
  );
}

/** After the end of the bar, else before its beginning, else nowhere. */
function Words({ scale, row, x, end, text }: BesideProps): JSX.Element | null {
  const words = text.trim();
  const long = words.length * CHARACTER + 8;
  const y = row.middle + 4;
  if (words === '' || end < 0 || x > scale.width) return null;
  if (end + long < scale.width) {
    return (
      <text x={end + 5} y={y}>
        {words}
      </text>
    );
  }
  if (x - long < 0) return null;
  return (
    <text x={x - 5} y={y} text-anchor="end">
      {words}
    </text>
  );
}

export interface StepBarsProps {
  readonly step: Step;
  readonly scale: TimeScale;
  readonly now: number;
  readonly row: Row;
}

export function StepBars({ step, scale, now, row }: StepBarsProps): JSX.Element {
  return (
    <>
      {step.pauses.map(({ from, to }) => (
        <line
          key={from}
          x1={scale.near(from)}
          x2={scale.near(to)}
          y1={row.middle}
          y2={row.middle}
          class="bar-pause"
        />
      ))}
      {step.tries.map((each, index) => (
        <TryBar
          {...{ step, each, scale, now, row, isLast: index === step.tries.length - 1 }}
          key={each.startPosition}
        />
      ))}
    </>
  );
}

interface TryBarProps extends StepBarsProps {
  readonly each: Try;
  /** Only the last one has words beside it. */
  readonly isLast: boolean;
}

function TryBar(props: TryBarProps): JSX.Element {
  switch (props.step.kind) {
    case 'event':
    case 'signal':
    case 'sent':
      return <Point {...props} />;
    case 'timer':
      return <TimerBar {...props} />;
    case 'lock':
      return <LockBar {...props} />;
    case 'activity':
    case 'child':
    case 'call':
      return <WorkBar {...props} />;
  }
}

/** A moment; before an event, how long it was waited for. */
function Point({ step, each, scale, row }: TryBarProps): JSX.Element {
  const x = scale.near(each.startAt);
  const from = each.waitedFrom === undefined ? x : scale.near(each.waitedFrom);
  const later = each.dueAt === undefined ? x : scale.near(each.dueAt);
  const y = row.middle;
  const shape =
    step.kind === 'event' ? `M${x} ${y - 6}l6 6l-6 6l-6-6z` : `M${x} ${y - 5}l8 5l-8 5z`;
  const waited = each.startAt - (each.waitedFrom ?? each.startAt);
  const text = waited > 0 ? `after ${duration(waited)}` : '';
  return (
    <>
      {x > from && <line x1={from} x2={x} y1={y} y2={y} class="bar-wait" />}
      {later > x && <line x1={x} x2={later} y1={y} y2={y} class="bar-ahead" />}
      <path d={shape} class="lane-mark" />
      <Beside {...{ scale, row, text }} x={from - 6} end={x + 6} />
    </>
  );
}

function wordsOf({ each, now }: TryBarProps): string {
  const took = duration((each.endAt ?? now) - each.startAt);
  if (each.state === 'Completed') return `✓ ${took}`;
  if (each.state === 'Failed') return `✕ ${each.failure?.type.slice(0, 40) ?? ''} ${took}`;
  if (each.state === 'Running') return took;
  return '≀ result not used';
}

function WorkBar(props: TryBarProps): JSX.Element {
  const { step, each, scale, now, row, isLast } = props;
  const x = scale.near(each.startAt);
  const end = scale.near(each.endAt ?? now);
  const width = Math.max(2, end - x);
  const y = row.middle - 5;
  const isChild = step.kind === 'child';
  const edge = x + width;
  return (
    <>
      <rect {...{ x, y, width }} height="10" rx="2" class={`bar-${each.state}`} />
      {isChild && width > 6 && (
        <rect x={x + 2} y={y + 2} width={width - 4} height="6" rx="1" class="bar-inner" />
      )}
      {each.state === 'Failed' && (
        <rect x={edge - 3} y={y - 3} width="3" height="16" class="bar-Failed" />
      )}
      {each.state === 'Running' && <path d={`M${edge} ${y - 1}l7 6l-7 6z`} class="bar-Running" />}
      {isLast ? (
        <Beside
          {...{ scale, row, x, text: wordsOf(props) }}
          end={edge + (each.state === 'Running' ? 6 : 0)}
        />
      ) : (
        each.state === 'Failed' && (
          <text x={edge + 3} y={row.middle + 4}>
            ✕
          </text>
        )
      )}
    </>
  );
}

function timerWords({ state, endAt, dueAt }: Try, now: number): string {
  if (state === 'cancelled') return '⊘ cancelled';
  if (dueAt === undefined) return '';
  const late = (endAt ?? now) - dueAt;
  if (state === 'Completed') return late > 1000 ? `fired ${duration(late)} late` : 'fired';
  return late < 0 ? `fires in ${duration(-late)}` : `due since ${duration(late)}`;
}

/** A thin line with stops: full when it fired, dashed and struck when it was cancelled, open ahead while it is armed. */
function TimerBar({ each, scale, now, row, isLast }: TryBarProps): JSX.Element {
  const { startAt, endAt, dueAt, state } = each;
  const x = scale.near(startAt);
  const end = scale.near(endAt ?? now);
  const due = dueAt === undefined ? end : scale.near(dueAt);
  const y = row.middle;
  const isArmed = state === 'Running';
  const text = timerWords(each, now);
  return (
    <>
      <path d={`M${x} ${y - 5}v10`} class="bar-timer" />
      <line
        {...{ x1: x, x2: end, y1: y, y2: y }}
        class={state === 'cancelled' ? 'bar-ahead' : 'bar-timer'}
      />
      {isArmed && due > end && <line x1={end} x2={due} y1={y} y2={y} class="bar-ahead" />}
      {state === 'Completed' && <path d={`M${end} ${y - 5}v10`} class="bar-timer" />}
      {isArmed && due <= scale.width && <path d={`M${due} ${y - 5}v10`} class="bar-ahead" />}
      {isLast && <Beside {...{ scale, row, x, text }} end={Math.max(end, isArmed ? due : end)} />}
    </>
  );
}

/** Hatched while it waited to be granted, a thin line while it was held. */
function LockBar({ each, scale, now, row }: TryBarProps): JSX.Element {
  const isGranted = each.state === 'Completed';
  const x = scale.near(each.startAt);
  const granted = scale.near(each.endAt ?? now);
  const until = isGranted ? scale.near(each.heldUntil ?? now) : granted;
  const y = row.middle;
  const waited = duration((each.endAt ?? now) - each.startAt);
  const held = duration((each.heldUntil ?? now) - (each.endAt ?? now));
  const text = isGranted ? `held ${held}` : `waits ${waited}`;
  return (
    <>
      <rect
        {...{ x, y: y - 5, height: 10 }}
        width={Math.max(2, granted - x)}
        class={`bar-hatch${each.state === 'unused' ? ' bar-unused' : ''}`}
        fill="url(#hatch)"
      />
      {isGranted && (
        <>
          <rect
            x={granted}
            y={y - 1.5}
            width={Math.max(2, until - granted)}
            height="3"
            class="held"
          />
          <path d={`M${granted} ${y - 5}v10M${until} ${y - 5}v10`} class="bar-timer" />
        </>
      )}
      <Beside {...{ scale, row, x, end: until }} text={each.state === 'unused' ? '≀' : text} />
    </>
  );
}
