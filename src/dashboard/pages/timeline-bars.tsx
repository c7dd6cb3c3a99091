/** The bars of the lanes in view, as SVG with presentation attributes and classes only. */
import type { JSX } from 'preact';
import type { Step, Story, Try } from '../model/history.ts';
import type { Lane } from '../model/lanes.ts';
import { stateOf } from '../model/lanes.ts';

/** Height of a lane in px. */
export const LANE = 24;
const BAR = 10;

export interface Scale {
  readonly from: number;
  readonly to: number;
  /** Of the picture, in px. */
  readonly width: number;
}

export interface BarsProps {
  readonly story: Story;
  readonly status: string;
  readonly lanes: readonly Lane[];
  readonly scale: Scale;
  readonly now: number;
}

/** Kept near the picture: SVG loses precision far outside of it. */
function xOf(at: number, { from, to, width }: Scale): number {
  const x = ((at - from) / (to - from)) * width;
  return Math.min(width + 20, Math.max(-20, x));
}

export function Bars({ story, status, lanes, scale, now }: BarsProps): JSX.Element {
  const height = lanes.length * LANE;
  const turns = story.turns.length > 400 ? [] : story.turns;
  return (
    <svg height={height} viewBox={`0 0 ${scale.width} ${height}`} aria-hidden="true">
      {story.suspensions.map(({ from, to }) => {
        const x = xOf(from, scale);
        const width = xOf(to ?? story.endAt ?? now, scale) - x;
        return (
          <rect x={x} y="0" width={width} height={height} class="bar-Suspended" opacity="0.15" />
        );
      })}
      {turns.map(({ at }) => {
        const x = xOf(at, scale);
        return <line x1={x} x2={x} y1="0" y2={height} class="grid-line" />;
      })}
      {story.marks.map(({ at, label }) => {
        const x = xOf(at, scale);
        return (
          <g>
            <line x1={x} x2={x} y1="0" y2={height} class="turn-line" stroke-width="2" />
            <text x={x + 4} y="12">
              ↺ {label}
            </text>
          </g>
        );
      })}
      {lanes.map((lane, index) => (
        <g key={lane.key} transform={`translate(0 ${index * LANE})`}>
          <LaneBars {...{ lane, story, status, scale, now }} />
        </g>
      ))}
      {story.endAt === undefined && (
        <line
          x1={xOf(now, scale)}
          x2={xOf(now, scale)}
          y1="0"
          y2={height}
          class="now-line"
          stroke-dasharray="2 3"
        />
      )}
    </svg>
  );
}

interface LaneBarsProps {
  readonly lane: Lane;
  readonly story: Story;
  readonly status: string;
  readonly scale: Scale;
  readonly now: number;
}

function LaneBars({ lane, story, status, scale, now }: LaneBarsProps): JSX.Element {
  if (lane.kind === 'root') {
    const one = { startAt: story.startAt, endAt: story.endAt, state: status };
    return <Bar {...{ ...one, scale, now }} mark={markOf(status)} />;
  }
  if (lane.kind === 'group') return <Strip steps={lane.steps} {...{ scale, now }} />;
  const { step } = lane;
  return (
    <>
      {step.pauses.map(({ from, to }) => (
        <line
          x1={xOf(from, scale)}
          x2={xOf(to, scale)}
          y1={LANE / 2}
          y2={LANE / 2}
          class="bar-pause"
          stroke-width="1.5"
        />
      ))}
      {step.tries.map((each) => (
        <TryBar {...{ step, each, scale, now }} key={each.startPosition} />
      ))}
    </>
  );
}

interface TryBarProps {
  readonly step: Step;
  readonly each: Try;
  readonly scale: Scale;
  readonly now: number;
}

function TryBar({ step, each, scale, now }: TryBarProps): JSX.Element {
  const { kind } = step;
  if (kind === 'event' || kind === 'signal' || kind === 'sent') {
    const x = xOf(each.startAt, scale);
    return <path d={`M${x} 6l6 6-6 6-6-6z`} class="lane-mark" />;
  }
  if (kind === 'timer') return <TimerBar {...{ each, scale, now }} />;
  return <Bar {...{ ...each, scale, now }} mark={markOf(each.state)} isDouble={kind === 'child'} />;
}

function markOf(state: string): string {
  return { Completed: '✓', Failed: '✕', Terminated: '■', unused: '≀', Running: '▶' }[state] ?? '';
}

interface BarProps {
  readonly startAt: number;
  readonly endAt: number | undefined;
  readonly state: string;
  readonly scale: Scale;
  readonly now: number;
  readonly mark: string;
  readonly isDouble?: boolean;
}

function Bar(props: BarProps): JSX.Element {
  const { startAt, endAt, state, scale, now, mark, isDouble = false } = props;
  const x = xOf(startAt, scale);
  const end = xOf(endAt ?? now, scale);
  const width = Math.max(2, end - x);
  const y = (LANE - BAR) / 2;
  return (
    <>
      <rect
        {...{ x, y, width }}
        height={BAR}
        rx="2"
        class={`bar-${state}`}
        fill-opacity={isDouble ? 0.45 : 1}
        stroke-width={isDouble ? 2 : 1}
      />
      <text x={Math.min(end + 4, scale.width - 12)} y={LANE / 2 + 4}>
        {mark}
      </text>
    </>
  );
}

/** A thin line with stops: full when it fired, dashed and struck when it was cancelled, open ahead while it is armed. */
function TimerBar({ each, scale, now }: Omit<TryBarProps, 'step'>): JSX.Element {
  const { startAt, endAt, dueAt, state } = each;
  const x = xOf(startAt, scale);
  const end = xOf(endAt ?? now, scale);
  const due = dueAt === undefined ? end : xOf(dueAt, scale);
  const y = LANE / 2;
  const className = state === 'cancelled' ? 'bar-cancelled' : 'bar-timer';
  return (
    <>
      <line x1={x} x2={x} y1={y - 5} y2={y + 5} class="bar-timer" />
      <line x1={x} x2={end} y1={y} y2={y} class={className} stroke-width="2" />
      {state === 'Running' && due > end && (
        <line x1={end} x2={due} y1={y} y2={y} class="bar-cancelled" />
      )}
      {state === 'Completed' && (
        <line x1={end} x2={end} y1={y - 5} y2={y + 5} class="bar-timer" stroke-width="2" />
      )}
      <text x={Math.min(end + 4, scale.width - 30)} y={y + 4}>
        {{ cancelled: '⊘', Completed: 'fired', Running: '⏱' }[state as string] ?? ''}
      </text>
    </>
  );
}

/** Many steps in one lane: a column is marked where something ran, failures above everything else. */
function Strip({
  steps,
  scale,
  now,
}: {
  readonly steps: readonly Step[];
  readonly scale: Scale;
  readonly now: number;
}): JSX.Element {
  const columns = new Map<string, Set<number>>();
  for (const step of steps) {
    const state = stateOf(step);
    const column = columns.get(state) ?? new Set<number>();
    columns.set(state, column);
    for (const { startAt, endAt } of step.tries) {
      const from = Math.floor(xOf(startAt, scale));
      const to = Math.ceil(xOf(endAt ?? now, scale));
      for (let x = from; x <= to; x += 1) column.add(x);
    }
  }
  const order = ['Completed', 'unused', 'cancelled', 'Running', 'Failed'];
  return (
    <>
      {order.map((state) => {
        const column = columns.get(state);
        if (!column) return null;
        const d = [...column].map((x) => `M${x} 7v10`).join('');
        return <path key={state} d={d} class={`bar-${state}`} />;
      })}
    </>
  );
}
