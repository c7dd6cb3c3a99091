/** What of the timeline is in view, the window of time, and the hands that move them. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { serverNow } from '../live.ts';
import { activityOf } from '../model/lanes.ts';
import {
  idleSpans,
  panned,
  quietSpans,
  zoomed,
  type Span,
  type TimeScale,
} from '../model/scale.ts';
import type { Story } from '../model/story.ts';
import { query, setQuery } from '../navigation.ts';
import { isOffline } from '../parts/basics.tsx';

/** The address follows the window after this time: browsers refuse hundreds of changes in a row. */
const ADDRESS_MS = 250;
const FOLLOW_MS = 30_000;
/** Of a picture in px, about. */
const WIDTH = 800;

interface Ref<T> {
  readonly current: T | null;
}

export function useView(
  box: Ref<HTMLElement>,
  picture: Ref<HTMLElement>,
): Record<'top' | 'height' | 'width' | 'outer', number> {
  const [view, setView] = useState({ top: 0, height: 600, width: 600, outer: 900 });
  useEffect(() => {
    const outer = box.current;
    const inner = picture.current;
    if (!outer || !inner) return undefined;
    const look = (): void => {
      setView({
        top: outer.scrollTop,
        height: outer.clientHeight,
        width: Math.max(80, inner.clientWidth),
        outer: outer.clientWidth,
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

interface DragOptions {
  readonly scale: TimeScale;
  readonly setSpan: (next: Span) => void;
}

/** Drag or shift-wheel pans, ctrl-wheel zooms at the pointer. */
export function useDrag(picture: Ref<HTMLElement>, options: DragOptions): void {
  const latest = useRef(options);
  latest.current = options;
  useEffect(() => {
    const element = picture.current;
    if (!element) return undefined;
    let drag: { readonly x: number; readonly scale: TimeScale } | undefined;
    const onWheel = (event: WheelEvent): void => {
      const { scale, setSpan } = latest.current;
      const isZoom = event.ctrlKey || event.metaKey;
      if (!isZoom && !event.shiftKey) return;
      event.preventDefault();
      const x = event.clientX - element.getBoundingClientRect().left;
      const delta = event.deltaY === 0 ? event.deltaX : event.deltaY;
      setSpan(isZoom ? zoomed(scale, delta > 0 ? 1.25 : 0.8, x) : panned(scale, delta));
    };
    const onDown = (event: PointerEvent): void => {
      if (event.button === 0) drag = { x: event.clientX, scale: latest.current.scale };
    };
    const onMove = (event: PointerEvent): void => {
      if (!drag || Math.abs(event.clientX - drag.x) < 3) return;
      latest.current.setSpan(panned(drag.scale, drag.x - event.clientX));
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

/** The scheduler's time, moving while something runs: ten times a second for short windows, else once. */
export function useMovingNow(isRunning: boolean, isShort: boolean): number {
  const [now, setNow] = useState(serverNow());
  useEffect(() => {
    if (!isRunning) return undefined;
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const timer = setInterval(
      () => {
        if (document.visibilityState !== 'visible' || isOffline()) return;
        setNow((before) => Math.max(before, serverNow()));
      },
      isShort && !isStill ? 100 : 1000,
    );
    return () => clearInterval(timer);
  }, [isRunning, isShort]);
  return now;
}

/** Stretches that may be left out: those between events, and the one from the last event until now. */
export function useQuiet(story: Story, now: number, isFolding: boolean): readonly Span[] {
  const { quiet, isBusy } = useMemo(() => {
    const activity = activityOf(story);
    const works = activity.busy.some(({ to }) => to === Infinity);
    return { quiet: quietSpans(activity), isBusy: works };
  }, [story]);
  if (!isFolding) return [];
  const isOpen = story.endAt === undefined && !isBusy;
  return isOpen ? [...quiet, { from: story.lastAt, to: now }] : quiet;
}

export interface TimeWindow {
  readonly span: Span;
  /** All of it, with a little room at the end. */
  readonly whole: Span;
  readonly isFollowing: boolean;
  /** Undefined: all of it. */
  readonly set: (next: Span | undefined) => void;
  readonly follow: () => void;
}

/** A little room on both sides, measured by what is shown. */
function wholeOf({ from, to }: Span, quiet: readonly Span[]): Span {
  const idle = idleSpans(quiet, { from, to }, WIDTH);
  const shown = idle.reduce((left, each) => left - (each.to - each.from), to - from);
  return { from: from - shown * 0.01, to: to + shown * 0.08 };
}

function fromAddress(startAt: number): Span | undefined {
  const params = query();
  const from = Number(params.get('from') ?? NaN);
  const to = Number(params.get('to') ?? NaN);
  return to > from ? { from: startAt + from, to: startAt + to } : undefined;
}

/** The part in view; the address keeps it as offsets from the start. */
export function useTimeWindow(story: Story, now: number, quiet: readonly Span[]): TimeWindow {
  const [chosen, setChosen] = useState<Span | undefined>(() => fromAddress(story.startAt));
  const [following, setFollowing] = useState<number>();
  const isTold = useRef(true);
  useEffect(() => {
    if (isTold.current) return undefined;
    const timer = setTimeout(() => {
      isTold.current = true;
      const changed = query();
      changed.delete('from');
      changed.delete('to');
      if (chosen) {
        changed.set('from', String(Math.round(chosen.from - story.startAt)));
        changed.set('to', String(Math.ceil(chosen.to - story.startAt)));
      }
      setQuery(changed, { replace: true });
    }, ADDRESS_MS);
    return () => clearTimeout(timer);
  }, [chosen]);
  const end = Math.max(story.endAt ?? now, story.startAt + 1);
  const whole = wholeOf({ from: story.startAt, to: end }, quiet);
  const isFollowing = following !== undefined && story.endAt === undefined;
  const span = isFollowing
    ? { from: now - following * 0.9, to: now + following * 0.1 }
    : (chosen ?? whole);
  return {
    ...{ span, whole, isFollowing },
    set: (next) => {
      isTold.current = false;
      setFollowing(undefined);
      setChosen(next);
    },
    follow: () => {
      const width = chosen ? chosen.to - chosen.from : Math.min(FOLLOW_MS, whole.to - whole.from);
      if (isFollowing) setChosen(span);
      setFollowing(isFollowing ? undefined : width);
    },
  };
}
