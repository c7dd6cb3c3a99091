/** Lanes beside their labels. Only those in view are in the page, however many there are. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { duration } from '../model/format.ts';
import { usualMs, type Lane, type StepLane } from '../model/lanes.ts';
import { idleSpans, TimeScale, zoomed, type Span } from '../model/scale.ts';
import { beganAt, type Story } from '../model/story.ts';
import { Axis, nudged, Overview } from './timeline-axis.tsx';
import { Bars } from './timeline-bars.tsx';
import { HoverCard } from './timeline-card.tsx';
import { LaneLabel } from './timeline-labels.tsx';
import type { Row } from './timeline-step.tsx';
import { useDrag, useView } from './timeline-view.ts';

/** Lanes drawn above and below what is in view. */
const MARGIN = 6;
/** Below this width of the page labels stand above their bars. */
const NARROW = 560;
const WIDE_ROW: Row = { height: 24, middle: 12 };
const NARROW_ROW: Row = { height: 42, middle: 30 };

export interface PictureProps {
  readonly hub: string;
  readonly story: Story;
  readonly status: string;
  readonly lanes: readonly Lane[];
  readonly span: Span;
  readonly whole: Span;
  readonly now: number;
  /** Stretches that may be left out. */
  readonly quiet: readonly Span[];
  readonly selected: string | undefined;
  readonly onSelect: (lane: StepLane) => void;
  readonly onToggle: (lane: Lane) => void;
  readonly setSpan: (next: Span | undefined) => void;
  readonly onFollow: () => void;
}

export function Picture(props: PictureProps): JSX.Element {
  const { story, lanes, span, whole, quiet, now, setSpan } = props;
  const box = useRef<HTMLDivElement>(null);
  const picture = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const view = useView(box, picture);
  const row = view.outer < NARROW ? NARROW_ROW : WIDE_ROW;
  const usual = useMemo(() => usualMs(story.steps), [story]);
  const scaleOf = (each: Span): TimeScale =>
    new TimeScale(each, view.width, idleSpans(quiet, each, view.width));
  const scale = scaleOf(span);
  const first = Math.max(0, Math.floor(view.top / row.height) - MARGIN);
  const last = Math.min(lanes.length, Math.ceil((view.top + view.height) / row.height) + MARGIN);
  const shown = lanes.slice(first, last);
  useDrag(picture, { scale, setSpan });
  const keys = useLaneKeys({ list, box, count: lanes.length, rowHeight: row.height });
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (keys.move(event.key)) event.preventDefault();
    else onViewKey(event, { ...props, scale, lane: lanes[keys.active] });
  };
  const onDblClick = (event: MouseEvent): void => {
    const top = picture.current?.getBoundingClientRect().top ?? 0;
    const lane = lanes[Math.floor((event.clientY - top) / row.height)];
    if (lane) setSpan(spanOf(lane, now));
  };
  const height = `${lanes.length * row.height}px`;
  return (
    <div
      class={`timeline${row === NARROW_ROW ? ' narrow' : ''}`}
      ref={box}
      role="group"
      aria-label="Lanes"
      onKeyDown={onKeyDown}
    >
      <div class="timeline-head meta">
        <span>overview</span>
        <span class="num">{duration(span.to - span.from)} shown</span>
      </div>
      <div class="timeline-head">
        <Overview {...{ story, span, now, setSpan }} whole={scaleOf(whole)} />
        <Axis scale={scale} />
      </div>
      <ol ref={list} style={{ height }} onFocusIn={keys.onFocusIn} onFocusOut={keys.onFocusOut}>
        {shown.map((lane, index) => (
          <li
            key={lane.key}
            data-lane={first + index}
            style={{ top: `${(first + index) * row.height}px` }}
          >
            <LaneLabel {...{ ...props, lane, usual }} isActive={first + index === keys.active} />
          </li>
        ))}
      </ol>
      <div class="picture" ref={picture} style={{ height }} onDblClick={onDblClick}>
        <div class="lanes-in-view" style={{ transform: `translateY(${first * row.height}px)` }}>
          <Bars {...{ story, scale, now, row }} status={props.status} lanes={shown} />
        </div>
        <HoverCard
          {...{ picture, lanes, scale, story, now }}
          rowHeight={row.height}
          focused={keys.focused}
        />
      </div>
    </div>
  );
}

interface ViewKeyOptions extends PictureProps {
  readonly scale: TimeScale;
  /** The one that has the focus. */
  readonly lane: Lane | undefined;
}

/** Keys that move the window, or open and fold the lane that has the focus. */
function onViewKey(event: KeyboardEvent, options: ViewKeyOptions): void {
  const { scale, lane, now, setSpan, onFollow, onToggle } = options;
  const middle = scale.width / 2;
  const sideways = (sign: number): void => {
    event.preventDefault();
    const isOpen = lane && 'isOpen' in lane ? lane.isOpen : undefined;
    if (lane && isOpen === sign < 0) onToggle(lane);
    else setSpan(nudged(scale, sign));
  };
  const acts: Readonly<Record<string, () => void>> = {
    '+': () => setSpan(zoomed(scale, 0.5, middle)),
    '=': () => setSpan(zoomed(scale, 0.5, middle)),
    '-': () => setSpan(zoomed(scale, 2, middle)),
    '0': () => setSpan(undefined),
    '.': onFollow,
    z: () => setSpan(lane && spanOf(lane, now)),
    ArrowRight: () => sideways(1),
    ArrowLeft: () => sideways(-1),
  };
  acts[event.key]?.();
}

function spanOf(lane: Lane, now: number): Span | undefined {
  const steps = lane.kind === 'step' ? [lane.step] : lane.kind === 'group' ? lane.steps : [];
  if (steps.length === 0) return undefined;
  const ends = steps.map(({ tries }) => tries.at(-1)?.heldUntil ?? tries.at(-1)?.endAt ?? now);
  const from = steps.reduce((least, step) => Math.min(least, beganAt(step)), Infinity);
  const to = ends.reduce((most, end) => Math.max(most, end), from + 1);
  const room = (to - from) * 0.15;
  return { from: from - room, to: to + room };
}

interface LaneKeysOptions {
  readonly list: { readonly current: HTMLOListElement | null };
  readonly box: { readonly current: HTMLDivElement | null };
  readonly count: number;
  readonly rowHeight: number;
}

/** One lane at a time takes part in the order of the tab key; arrows move between them, also to ones not drawn yet. */
function useLaneKeys({ list, box, count, rowHeight }: LaneKeysOptions): {
  readonly active: number;
  readonly focused: number | undefined;
  readonly move: (key: string) => boolean;
  readonly onFocusIn: (event: FocusEvent) => void;
  readonly onFocusOut: () => void;
} {
  const [state, setState] = useState({ active: 0, isFocused: false });
  const wanted = useRef<number | undefined>(undefined);
  const active = Math.min(state.active, Math.max(0, count - 1));
  useEffect(() => {
    if (wanted.current === undefined) return;
    const item = list.current?.querySelector(`[data-lane="${wanted.current}"]`);
    const target = item?.querySelector<HTMLElement>('[tabindex="0"]');
    if (!target) return;
    wanted.current = undefined;
    target.focus({ preventScroll: true });
  });
  const move = (key: string): boolean => {
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / rowHeight) - 4);
    const steps: Readonly<Record<string, number>> = {
      ...{ ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -count, End: count },
    };
    const step = steps[key];
    if (step === undefined) return false;
    const next = Math.min(count - 1, Math.max(0, active + step));
    wanted.current = next;
    setState({ active: next, isFocused: true });
    const outer = box.current;
    if (!outer) return true;
    const [top, room] = [next * rowHeight, outer.clientHeight - 60 - rowHeight];
    if (top < outer.scrollTop) outer.scrollTop = top;
    else if (top > outer.scrollTop + room) outer.scrollTop = top - room;
    return true;
  };
  const onFocusIn = ({ target }: FocusEvent): void => {
    const item = target instanceof Element ? target.closest('[data-lane]') : null;
    const lane = Number(item?.getAttribute('data-lane') ?? active);
    const isByKeys = target instanceof Element && target.matches(':focus-visible');
    setState({ active: lane, isFocused: isByKeys });
  };
  const onFocusOut = (): void => setState((before) => ({ ...before, isFocused: false }));
  return { active, focused: state.isFocused ? active : undefined, move, onFocusIn, onFocusOut };
}
