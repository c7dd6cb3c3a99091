/** The bars of the lanes in view, as SVG with presentation attributes and classes only. */
import type { JSX } from 'preact';
import { coverageOf, coveragePath } from '../model/coverage.ts';
import { duration, integer } from '../model/format.ts';
import type { GroupLane, Lane } from '../model/lanes.ts';
import { BREAK_WIDTH, type TimeScale } from '../model/scale.ts';
import { stateOf, type Story } from '../model/story.ts';
import { Beside, StepBars, type Row } from './timeline-step.tsx';

export interface BarsProps {
  readonly story: Story;
  readonly status: string;
  readonly lanes: readonly Lane[];
  readonly scale: TimeScale;
  readonly now: number;
  readonly row: Row;
}

export function Bars({ story, status, lanes, scale, now, row }: BarsProps): JSX.Element {
  const height = lanes.length * row.height;
  const ended = story.endAt ?? now;
  return (
    <svg height={height} viewBox={`0 0 ${scale.width} ${height}`} aria-hidden="true">
      <Patterns />
      {story.suspensions.map(({ from, to }) => {
        const x = scale.near(from);
        const width = Math.max(1, scale.near(to ?? ended) - x);
        return <rect {...{ x, width, height }} y="0" class="band-Suspended" key={from} />;
      })}
      {lanes.map((lane, index) => (
        <g key={lane.key} transform={`translate(0 ${index * row.height})`}>
          <LaneBars {...{ lane, story, status, scale, now, row }} />
        </g>
      ))}
      {scale.breaks.map(({ x, from }) => (
        <path
          key={from}
          d={`M${x} 0v${height}M${x + BREAK_WIDTH} 0v${height}`}
          class="break-edge"
        />
      ))}
      {story.marks.map(({ at, kind }) => {
        const x = scale.near(at);
        return <line key={at} x1={x} x2={x} y1="0" y2={height} class={`mark-${kind}`} />;
      })}
      {story.endAt === undefined && (
        <line x1={scale.near(now)} x2={scale.near(now)} y1="0" y2={height} class="now-line" />
      )}
    </svg>
  );
}

/** Time that is left out lets bars through like a blind; time spent waiting for a lock is hatched. */
function Patterns(): JSX.Element {
  return (
    <defs>
      <pattern
        {...{ id: 'idle', width: 7, height: 7 }}
        patternUnits="userSpaceOnUse"
        patternTransform="rotate(25)"
      >
        <rect width="5" height="7" class="idle-blind" />
      </pattern>
      <pattern
        {...{ id: 'hatch', width: 5, height: 5 }}
        patternUnits="userSpaceOnUse"
        patternTransform="rotate(45)"
      >
        <rect width="2" height="5" class="hatch-line" />
      </pattern>
    </defs>
  );
}

interface LaneBarsProps extends Omit<BarsProps, 'lanes'> {
  readonly lane: Lane;
}

function LaneBars({ lane, story, status, scale, now, row }: LaneBarsProps): JSX.Element | null {
  switch (lane.kind) {
    case 'root':
      return <RootBar {...{ story, status, scale, now, row }} />;
    case 'turns':
      return <Turns {...{ story, scale, row, now }} />;
    case 'waits':
      return <Waits {...{ story, scale, now, row }} />;
    case 'group':
      return <Strip {...{ lane, scale, now, row }} />;
    case 'step':
      return <StepBars step={lane.step} {...{ scale, now, row }} />;
    case 'more':
    case 'note':
      return null;
  }
}

type OwnProps = Omit<LaneBarsProps, 'lane' | 'status'>;

const END_MARKS: Readonly<Record<string, string>> = {
  Completed: '✓',
  Failed: '✕',
  Terminated: '■',
  Canceled: '⊘',
  Suspended: '‖',
};

/** The run itself: striped until its first turn, neutral after that, its end in the colour of how it ended. */
function RootBar({ story, status, scale, now, row }: OwnProps & { status: string }): JSX.Element {
  const end = story.endAt ?? now;
  const began = Math.min(end, story.turns[0]?.at ?? end);
  const [x, first, last] = [scale.near(story.startAt), scale.near(began), scale.near(end)];
  const y = row.middle - 5;
  const isOver = story.endAt !== undefined;
  return (
    <>
      <rect {...{ x, y }} width={Math.max(0, first - x)} height="10" class="bar-queue" />
      <rect x={first} y={y} width={Math.max(2, last - first)} height="10" rx="2" class="bar-root" />
      {isOver ? (
        <rect x={last - 4} y={y - 2} width="4" height="14" rx="1" class={`bar-${status}`} />
      ) : (
        <path d={`M${last} ${y - 1}l7 6l-7 6z`} class={`bar-${status}`} />
      )}
      <Beside
        {...{ scale, row, x, end: last + (isOver ? 0 : 6) }}
        text={`${END_MARKS[status] ?? ''} ${duration(end - story.startAt)}`}
      />
    </>
  );
}

/** A tick for each turn, those of one pixel together; what concerns the whole run is named here. */
function Turns({ story, scale, row }: OwnProps): JSX.Element {
  const places = new Set(
    story.turns
      .filter(({ at }) => at >= scale.from && at <= scale.to)
      .map(({ at }) => Math.round(scale.xOf(at) * 2) / 2),
  );
  const d = [...places].map((x) => `M${x} ${row.middle - 5}v10`).join('');
  return (
    <>
      <path d={d} class="turn-line" />
      {story.suspensions.map(({ from }) => (
        <text key={from} x={scale.near(from) + 4} y={row.middle + 4} class="on-band">
          ‖ suspended
        </text>
      ))}
      {story.marks.map(({ at, kind, label }) => (
        <text key={at} x={scale.near(at) + 5} y={row.middle + 4} class="on-band">
          {kind === 'rewind' ? '↺ rewind' : '■ terminate'}
          {label === '' ? '' : `: ${label.slice(0, 60)}`}
        </text>
      ))}
    </>
  );
}

function Waits({ story, scale, now, row }: OwnProps): JSX.Element | null {
  if (story.waitsFrom === undefined) return null;
  const [x, end] = [scale.near(story.waitsFrom), scale.near(now)];
  return (
    <>
      <line x1={x} x2={end} y1={row.middle} y2={row.middle} class="bar-wait" />
      <Beside {...{ scale, row, x, end }} text={duration(now - story.waitsFrom)} />
    </>
  );
}

interface StripProps {
  readonly lane: GroupLane;
  readonly scale: TimeScale;
  readonly now: number;
  readonly row: Row;
}

/** Many steps in one lane: how many ran at a time, failures above everything else. */
function Strip({ lane: { steps }, scale, now, row }: StripProps): JSX.Element {
  const coverage = coverageOf(steps, scale, now);
  const all = coverage.map(({ columns }) => columns.reduce((max, n) => Math.max(max, n), 0));
  const shape = { most: Math.max(1, ...all), height: 16, bottom: row.middle + 8, least: 3 };
  const failed = steps.filter((step) => stateOf(step) === 'Failed');
  const ends = new Set(
    failed.map((step) => Math.round(scale.near(step.tries.at(-1)?.endAt ?? now))),
  );
  const last = steps.reduce((end, { tries }) => Math.max(end, tries.at(-1)?.endAt ?? now), 0);
  const first = steps[0]?.tries[0]?.startAt ?? now;
  const done = steps.filter((step) => stateOf(step) === 'Completed').length;
  const running = steps.length - done - failed.length;
  const text = [
    done > 0 && `${integer(done)} ✓`,
    failed.length > 0 && `${integer(failed.length)} ✕`,
    running > 0 && `${integer(running)} ${last >= now ? '●' : '≀'}`,
  ];
  return (
    <>
      {coverage.map(({ state, columns }) => (
        <path key={state} d={coveragePath(columns, shape)} class={`strip-${state}`} />
      ))}
      <path d={[...ends].map((x) => `M${x} ${row.middle - 9}v18`).join('')} class="strip-end" />
      <Beside
        {...{ scale, row, x: scale.near(first), end: scale.near(last) }}
        text={text.filter((part) => part !== false).join('  ')}
      />
    </>
  );
}
