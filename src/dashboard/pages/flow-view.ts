/** Looking at the graph: by drag, wheel and keys; and holding still while somebody does. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Flow } from '../model/flow.ts';

interface Ref<T> {
  readonly current: T | null;
}

const ZOOM = { least: 0.1, most: 2.5, step: 1.25 } as const;

export interface FlowView {
  readonly zoom: number;
  /** What is in view, in px of the graph. */
  readonly seen: Record<'x' | 'y' | 'width' | 'height', number>;
  readonly zoomBy: (factor: number) => void;
  readonly fit: (flow: Flow) => void;
  /** Puts a place of the graph into the middle. */
  readonly goTo: (x: number, y: number) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
}

export function useFlowView(box: Ref<HTMLElement>): FlowView {
  const [zoom, setZoom] = useState(1);
  const [seen, setSeen] = useState({ x: 0, y: 0, width: 0, height: 0 });
  const latest = useRef(zoom);
  latest.current = zoom;
  const clamp = (value: number): number => Math.min(ZOOM.most, Math.max(ZOOM.least, value));
  const zoomBy = (factor: number): void => setZoom((before) => clamp(before * factor));
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const look = (): void => {
      const { scrollLeft: x, scrollTop: y, clientWidth: width, clientHeight: height } = element;
      const scale = latest.current;
      setSeen({ x: x / scale, y: y / scale, width: width / scale, height: height / scale });
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, [zoom]);
  useDragAndWheel(box, zoomBy);
  const goTo = (x: number, y: number): void => {
    const element = box.current;
    element?.scrollTo(
      x * latest.current - element.clientWidth / 2,
      y * latest.current - element.clientHeight / 2,
    );
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === '+' || event.key === '=') zoomBy(ZOOM.step);
    else if (event.key === '-') zoomBy(1 / ZOOM.step);
    else if (event.key === '0') setZoom(1);
  };
  const fit = ({ width, height }: Flow): void => {
    const element = box.current;
    if (!element) return;
    const most = Math.min(element.clientWidth / width, element.clientHeight / height, 1);
    setZoom(clamp(most));
  };
  return { zoom, seen, zoomBy, fit, goTo, onKeyDown };
}

function useDragAndWheel(box: Ref<HTMLElement>, zoomBy: (factor: number) => void): void {
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    let last: { readonly x: number; readonly y: number } | undefined;
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoomBy(event.deltaY > 0 ? 1 / ZOOM.step : ZOOM.step);
    };
    const onDown = (event: PointerEvent): void => {
      if (event.button === 0 && event.pointerType === 'mouse')
        last = { x: event.clientX, y: event.clientY };
    };
    const onMove = (event: PointerEvent): void => {
      if (!last) return;
      element.scrollBy(last.x - event.clientX, last.y - event.clientY);
      last = { x: event.clientX, y: event.clientY };
    };
    const onUp = (): void => {
      last = undefined;
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

export interface Held {
  readonly flow: Flow;
  /** There is a newer graph, in which nodes stand elsewhere. */
  readonly isOld: boolean;
  readonly rearrange: () => void;
}

/** While the pointer or the focus is inside, no node that is there already moves. */
export function useHeld(box: Ref<HTMLElement>, next: Flow, openKey: string): Held {
  const shown = useRef({ flow: next, openKey });
  const [, again] = useState(0);
  const element = box.current;
  const isLookedAt = element?.matches(':hover, :focus-within') ?? false;
  const isMoved = shown.current.openKey === openKey && moves(shown.current.flow, next);
  const isOld = isLookedAt && isMoved;
  if (!isOld) shown.current = { flow: next, openKey };
  const rearrange = (): void => {
    shown.current = { flow: next, openKey };
    again((count) => count + 1);
  };
  return { flow: shown.current.flow, isOld, rearrange };
}

/** The end is always behind everything. */
function moves(before: Flow, after: Flow): boolean {
  const places = new Map(after.nodes.map((node) => [node.key, node]));
  return before.nodes.some((node) => {
    const now = places.get(node.key);
    return node.key !== 'end' && now !== undefined && (now.x !== node.x || now.y !== node.y);
  });
}
