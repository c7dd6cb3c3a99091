/** What ran when, moving with the scheduler's clock. Only the lanes in view are drawn. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { timeZoneMode } from '../habits.ts';
import { serverNow } from '../live.ts';
import { clockTime, duration } from '../model/format.ts';
import type { Step, Story } from '../model/history.ts';
import {
  layLanes,
  stateOf,
  stepIcon,
  stepLabel,
  stepWord,
  ticks,
  type Lane,
} from '../model/lanes.ts';
import { query, setQuery } from '../navigation.ts';
import { isOffline } from '../parts/basics.tsx';
import { Bars, LANE, type Scale } from './timeline-bars.tsx';

/** Lanes drawn above and below what is in view. */
const MARGIN = 6;

export interface TimelineProps {
  readonly story: Story;
  readonly status: string;
  readonly selected: string | undefined;
  readonly onSelect: (step: Step) => void;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** The part in view, as offsets from the start; the address keeps it. */
function useSpan(story: Story, now: number): readonly [Span, (next: Span | undefined) => void] {
  const params = query();
  const from = Number(params.get('from') ?? NaN);
  const to = Number(params.get('to') ?? NaN);
  const end = Math.max(story.endAt ?? now, story.startAt + 1);
  const whole = { from: story.startAt, to: end + (end - story.startAt) * 0.02 };
  const set = (next: Span | undefined): void => {
    const changed = query();
    changed.delete('from');
    changed.delete('to');
    if (next) {
      changed.set('from', String(Math.round(next.from - story.startAt)));
      changed.set('to', String(Math.round(Math.max(next.to, next.from + 1) - story.startAt)));
    }
    setQuery(changed, { replace: true });
  };
  if (!(to > from)) return [whole, set];
  return [{ from: story.startAt + from, to: story.startAt + to }, set];
}

/** Moves while something runs: ten times a second for short spans, else once. */
function useMovingNow(isRunning: boolean): number {
  const [now, setNow] = useState(serverNow());
  useEffect(() => {
    if (!isRunning) return undefined;
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const timer = setInterval(
      () => {
        if (document.visibilityState === 'visible' && !isOffline()) setNow(serverNow());
      },
      isStill ? 1000 : 200,
    );
    return () => clearInterval(timer);
  }, [isRunning]);
  return now;
}

export function Timeline({ story, status, selected, onSelect }: TimelineProps): JSX.Element {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [isTable, setTable] = useState(false);
  const now = useMovingNow(story.endAt === undefined);
  const [span, setSpan] = useSpan(story, now);
  const lanes = useMemo(() => layLanes(story, open), [story, open]);
  const toggle = (key: string): void => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  };
  const zoom = (factor: number, at = 0.5): void => {
    const width = (span.to - span.from) * factor;
    const middle = span.from + (span.to - span.from) * at;
    setSpan({ from: middle - width * at, to: middle + width * (1 - at) });
  };
  return (
    <section aria-label="Timeline">
      <div class="actions">
        <button type="button" onClick={() => zoom(0.5)} aria-label="Zoom in">
          +
        </button>
        <button type="button" onClick={() => zoom(2)} aria-label="Zoom out">
          −
        </button>
        <button type="button" onClick={() => setSpan(undefined)}>
          Fit
        </button>
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          {isTable ? 'Show as picture' : 'Show as table'}
        </button>
        <span class="meta">
          {story.turns.length} turns, {story.steps.length} steps · Ctrl+wheel zooms, drag pans
        </span>
      </div>
      {isTable ? (
        <StepTable {...{ story, now }} />
      ) : (
        <Picture
          {...{ story, status, lanes, span, now, selected, onSelect, toggle, setSpan, zoom }}
        />
      )}
    </section>
  );
}

interface PictureProps extends TimelineProps {
  readonly lanes: readonly Lane[];
  readonly span: Span;
  readonly now: number;
  readonly toggle: (key: string) => void;
  readonly setSpan: (next: Span | undefined) => void;
  readonly zoom: (factor: number, at?: number) => void;
}

function Picture(props: PictureProps): JSX.Element {
  const { story, status, lanes, span, now, selected, onSelect, toggle, setSpan, zoom } = props;
  const box = useRef<HTMLDivElement>(null);
  const picture = useRef<HTMLDivElement>(null);
  const view = useView(box, picture);
  const scale: Scale = { ...span, width: view.width };
  const first = Math.max(0, Math.floor(view.top / LANE) - MARGIN);
  const last = Math.min(lanes.length, Math.ceil((view.top + view.height) / LANE) + MARGIN);
  const shown = lanes.slice(first, last);
  usePanAndZoom(picture, { scale, setSpan, zoom });
  const height = lanes.length * LANE;
  return (
    <div class="timeline" ref={box} tabIndex={0} role="group" aria-label="Lanes">
      <div class="axis meta">{duration(span.to - span.from)} in view</div>
      <div class="axis">
        <Axis {...{ scale, story }} />
      </div>
      <ol style={{ height: `${height}px` }}>
        {shown.map((lane, index) => (
          <li key={lane.key} style={{ top: `${(first + index) * LANE}px` }}>
            <LaneLabel {...{ lane, story, status, now, selected, onSelect, toggle }} />
          </li>
        ))}
      </ol>
      <div class="picture" ref={picture} style={{ height: `${height}px` }}>
        <div class="lanes-in-view" style={{ transform: `translateY(${first * LANE}px)` }}>
          <Bars {...{ story, status, lanes: shown, scale, now }} />
        </div>
      </div>
    </div>
  );
}

function useView(
  box: { readonly current: HTMLDivElement | null },
  picture: { readonly current: HTMLDivElement | null },
): { readonly top: number; readonly height: number; readonly width: number } {
  const [view, setView] = useState({ top: 0, height: 600, width: 600 });
  useEffect(() => {
    const outer = box.current;
    const inner = picture.current;
    if (!outer || !inner) return undefined;
    const look = (): void => {
      setView({
        top: outer.scrollTop,
        height: outer.clientHeight,
        width: Math.max(80, inner.clientWidth),
      });
    };
    const observer = new ResizeObserver(look);
    observer.observe(outer);
    observer.observe(inner);
    outer.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      outer.removeEventListener('scroll', look);
    };
  }, []);
  return view;
}

interface PanOptions {
  readonly scale: Scale;
  readonly setSpan: (next: Span) => void;
  readonly zoom: (factor: number, at?: number) => void;
}

function usePanAndZoom(
  picture: { readonly current: HTMLDivElement | null },
  options: PanOptions,
): void {
  const latest = useRef(options);
  latest.current = options;
  useEffect(() => {
    const element = picture.current;
    if (!element) return undefined;
    let drag: { readonly x: number; readonly span: Span } | undefined;
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const at = event.offsetX / latest.current.scale.width;
      latest.current.zoom(event.deltaY > 0 ? 1.25 : 0.8, Math.min(1, Math.max(0, at)));
    };
    const onDown = (event: PointerEvent): void => {
      const { from, to } = latest.current.scale;
      drag = { x: event.clientX, span: { from, to } };
    };
    const onMove = (event: PointerEvent): void => {
      if (!drag || Math.abs(event.clientX - drag.x) < 3) return;
      const { from, to } = drag.span;
      const shift = ((drag.x - event.clientX) / latest.current.scale.width) * (to - from);
      latest.current.setSpan({ from: from + shift, to: to + shift });
    };
    const onUp = (): void => {
      drag = undefined;
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    element.addEventListener('pointerdown', onDown);
    addEventListener('pointermove', onMove);
    addEventListener('pointerup', onUp);
    return () => {
      element.removeEventListener('wheel', onWheel);
      element.removeEventListener('pointerdown', onDown);
      removeEventListener('pointermove', onMove);
      removeEventListener('pointerup', onUp);
    };
  }, []);
}

function Axis({ scale, story }: { readonly scale: Scale; readonly story: Story }): JSX.Element {
  const count = Math.max(2, Math.floor(scale.width / 110));
  const offsets = ticks(scale.from - story.startAt, scale.to - story.startAt, count);
  return (
    <svg height="20" role="presentation">
      {offsets.map((offset) => {
        const x = ((offset + story.startAt - scale.from) / (scale.to - scale.from)) * scale.width;
        const at = clockTime(story.startAt + offset, timeZoneMode.value === 'utc');
        return (
          <text key={offset} x={x} y="14">
            <title>{at}</title>
            {offset < 0 ? '' : `+${duration(offset)}`}
          </text>
        );
      })}
    </svg>
  );
}

interface LaneLabelProps {
  readonly lane: Lane;
  readonly story: Story;
  readonly status: string;
  readonly now: number;
  readonly selected: string | undefined;
  readonly onSelect: (step: Step) => void;
  readonly toggle: (key: string) => void;
}

function LaneLabel(props: LaneLabelProps): JSX.Element {
  const { lane, story, status, now, selected, onSelect, toggle } = props;
  if (lane.kind === 'root') {
    return (
      <span>
        ⌂ <strong>{story.name}</strong> {duration((story.endAt ?? now) - story.startAt)}
        <span class="hidden-text"> {status}</span>
      </span>
    );
  }
  if (lane.kind === 'group') {
    const failed = lane.steps.filter((step) => stateOf(step) === 'Failed').length;
    const running = lane.steps.filter((step) => stateOf(step) === 'Running').length;
    return (
      <button type="button" aria-expanded={lane.isOpen} onClick={() => toggle(lane.key)}>
        {lane.isOpen ? '▾' : '▸'} {stepIcon(lane.stepKind)} {lane.name} × {lane.steps.length}
        {failed > 0 && ` · ✕ ${failed}`}
        {running > 0 && ` · ● ${running}`}
      </button>
    );
  }
  const { step } = lane;
  const isBad = stateOf(step) === 'Failed';
  const text = `${stepIcon(step.kind)} ${stepLabel(step)}`;
  return (
    <button
      type="button"
      aria-pressed={selected === step.key}
      aria-label={sentence(step, now)}
      title={sentence(step, now)}
      onClick={() => onSelect(step)}
    >
      {lane.isInGroup && '  '}
      <bdi>{isBad ? <strong>{text}</strong> : text}</bdi>
    </button>
  );
}

const STATE_WORDS: Readonly<Record<string, string>> = {
  Running: 'running',
  Completed: 'completed',
  Failed: 'failed',
  cancelled: 'cancelled',
  unused: 'still outstanding when the orchestration ended',
};

/** One sentence for those who do not see the picture. */
function sentence(step: Step, now: number): string {
  const last = step.tries.at(-1);
  const firstAt = step.tries[0]?.startAt ?? now;
  const took = duration((last?.endAt ?? now) - firstAt);
  const tries =
    step.tries.length > 1
      ? `, ${step.tries.length} tries${step.isInferred ? ' (inferred)' : ''}`
      : '';
  const error = last?.failure ? `, error ${last.failure.type}` : '';
  const what = `${stepWord(step.kind)} ${step.name}`.trim();
  return `${what}${tries}, ${STATE_WORDS[stateOf(step)] ?? ''} after ${took}${error}`;
}

function StepTable({ story, now }: { readonly story: Story; readonly now: number }): JSX.Element {
  const shown = story.steps.slice(0, 2000);
  return (
    <div class="scroll-x">
      <table>
        <caption class="hidden-text">Steps</caption>
        <thead>
          <tr>
            {['Kind', 'Name', 'State', 'Tries', 'After start', 'Duration'].map((head) => (
              <th scope="col">{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((step) => {
            const firstAt = step.tries[0]?.startAt ?? now;
            return (
              <tr key={step.key}>
                <td>{stepWord(step.kind)}</td>
                <td>
                  <bdi>{stepLabel(step)}</bdi>
                </td>
                <td>{STATE_WORDS[stateOf(step)]}</td>
                <td class="num">{step.tries.length}</td>
                <td class="num">+{duration(firstAt - story.startAt)}</td>
                <td class="num">{duration((step.tries.at(-1)?.endAt ?? now) - firstAt)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
