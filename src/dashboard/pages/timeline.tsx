/** What ran when, moving with the scheduler's clock. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { integer, plural } from '../model/format.ts';
import { GROUP_PAGE, layLanes, type Lane, type StepLane } from '../model/lanes.ts';
import type { Span } from '../model/scale.ts';
import type { Step, Story } from '../model/story.ts';
import { query, setQuery } from '../navigation.ts';
import { StepTable } from './step-table.tsx';
import { Picture } from './timeline-picture.tsx';
import { useMovingNow, useQuiet, useTimeWindow } from './timeline-view.ts';
import { useChildren } from './use-children.ts';

export interface TimelineProps {
  readonly hub: string;
  readonly id: string;
  readonly story: Story;
  readonly status: string;
  readonly generation: number;
  readonly selected: string | undefined;
  /** `of` is the orchestration in whose history the step is. */
  readonly onSelect: (step: Step, of: string) => void;
}

export function Timeline(props: TimelineProps): JSX.Element {
  const { hub, id, story, status, selected, onSelect } = props;
  const [open, setOpen] = useState<ReadonlyMap<string, number>>(new Map());
  const [openIds, setOpenIds] = useState<readonly string[]>([]);
  const [find, setFind] = useState('');
  const [isFailuresOnly, setFailuresOnly] = useState(false);
  const [isTable, setTable] = useState(false);
  const isFolding = query().get('idle') !== 'full';
  const children = useChildren(hub, openIds);
  const [isShort, setShort] = useState(true);
  const now = useMovingNow(story.endAt === undefined, isShort);
  const quiet = useQuiet(story, now, isFolding);
  const time = useTimeWindow(story, now, quiet);
  if (isShort !== time.span.to - time.span.from < 60_000) setShort(!isShort);
  const lanes = useMemo(
    () => layLanes(story, { id, open, children, find, isFailuresOnly }),
    [story, id, open, children, find, isFailuresOnly],
  );
  const toggle = (lane: Lane): void => {
    const next = new Map(open);
    if (lane.kind === 'more') {
      const key = lane.key.replace(/ more$/, '');
      next.set(key, (next.get(key) ?? 0) + GROUP_PAGE);
    } else if (!next.delete(lane.key)) next.set(lane.key, GROUP_PAGE);
    const child = lane.kind === 'step' ? lane.step.target : undefined;
    if (child !== undefined && !openIds.includes(child)) setOpenIds([...openIds, child]);
    setOpen(next);
  };
  const setFolding = (isOn: boolean): void => {
    const changed = query();
    if (isOn) changed.delete('idle');
    else changed.set('idle', 'full');
    setQuery(changed, { replace: true });
  };
  const choose = (lane: StepLane): void => onSelect(lane.step, lane.of);
  return (
    <section aria-label="Timeline">
      <Toolbar
        {...{ ...props, find, setFind, isFailuresOnly, setFailuresOnly, isFolding, setFolding }}
        {...{ isTable, setTable, time }}
      />
      {isTable ? (
        <StepTable
          {...{ story, now }}
          steps={lanes.flatMap((lane) => stepsOf(lane))}
          onSelect={(step) => onSelect(step, id)}
        />
      ) : (
        <Picture
          {...{ hub, story, status, lanes, now, quiet, selected }}
          {...{ span: time.span, whole: time.whole, setSpan: time.set, onFollow: time.follow }}
          onSelect={choose}
          onToggle={toggle}
        />
      )}
    </section>
  );
}

/** Of lanes of the run itself: each step once, whether its group is open or not. */
function stepsOf(lane: Lane): readonly Step[] {
  if (lane.kind === 'group') return lane.depth === 0 ? lane.steps : [];
  return lane.kind === 'step' && lane.depth === 0 ? [lane.step] : [];
}

interface ToolbarProps extends TimelineProps {
  readonly find: string;
  readonly setFind: (text: string) => void;
  readonly isFailuresOnly: boolean;
  readonly setFailuresOnly: (isOn: boolean) => void;
  readonly isFolding: boolean;
  readonly setFolding: (isOn: boolean) => void;
  readonly isTable: boolean;
  readonly setTable: (isOn: boolean) => void;
  readonly time: ReturnType<typeof useTimeWindow>;
}

function Toolbar(props: ToolbarProps): JSX.Element {
  const { story, generation, isTable, setTable, time } = props;
  const rewinds = story.marks.filter(({ kind }) => kind === 'rewind').length;
  const zoom = (factor: number): void => time.set(scaled(time.span, factor));
  return (
    <div class="actions">
      <input
        type="search"
        class="find-step"
        placeholder="Find a step"
        aria-label="Find a step"
        value={props.find}
        onInput={(event) => props.setFind(event.currentTarget.value)}
      />
      <Check label="Collapse idle" isOn={props.isFolding} set={props.setFolding} />
      <Check label="Failures only" isOn={props.isFailuresOnly} set={props.setFailuresOnly} />
      {!isTable && (
        <span class="joined">
          <button type="button" onClick={() => zoom(2)} aria-label="Zoom out">
            −
          </button>
          <button type="button" onClick={() => zoom(0.5)} aria-label="Zoom in">
            +
          </button>
          <button type="button" onClick={() => time.set(undefined)}>
            Fit
          </button>
        </span>
      )}
      {!isTable && story.endAt === undefined && (
        <button type="button" aria-pressed={time.isFollowing} onClick={time.follow}>
          {time.isFollowing ? '●' : '○'} Follow now
        </button>
      )}
      <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
        {isTable ? 'Show as picture' : 'Show as table'}
      </button>
      <span class="meta">
        {plural(story.steps.length, 'step')}
        {generation > 1 + rewinds &&
          ` · generation ${integer(generation)}: the history of earlier ones is not kept`}
      </span>
    </div>
  );
}

function scaled({ from, to }: Span, factor: number): Span {
  const [middle, half] = [(from + to) / 2, ((to - from) / 2) * factor];
  return { from: middle - half, to: middle + half };
}

interface CheckProps {
  readonly label: string;
  readonly isOn: boolean;
  readonly set: (isOn: boolean) => void;
}

function Check({ label, isOn, set }: CheckProps): JSX.Element {
  return (
    <label class="row">
      <input
        type="checkbox"
        checked={isOn}
        onChange={(event) => set(event.currentTarget.checked)}
      />
      {label}
    </label>
  );
}
