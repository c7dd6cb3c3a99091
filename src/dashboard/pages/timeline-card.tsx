/** What the pointer or the focus is on: a line through that moment, and what is known of the lane. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { timeZoneMode } from '../habits.ts';
import { bytes, clockTime, duration, integer } from '../model/format.ts';
import type { Lane } from '../model/lanes.ts';
import type { TimeScale } from '../model/scale.ts';
import { lasted, stateWord, stepName, stepWord } from '../model/steps.ts';
import { beganAt, stateOf, type Step, type Story } from '../model/story.ts';
import { Visible } from '../parts/basics.tsx';

export interface CardProps {
  readonly picture: { readonly current: HTMLElement | null };
  readonly lanes: readonly Lane[];
  readonly scale: TimeScale;
  readonly rowHeight: number;
  readonly story: Story;
  readonly now: number;
  /** Lane that has the focus. */
  readonly focused: number | undefined;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Follows the pointer without drawing the bars again. */
export function HoverCard(props: CardProps): JSX.Element | null {
  const { picture, lanes, scale, rowHeight, story, now, focused } = props;
  const [at, setAt] = useState<Place>();
  useEffect(() => {
    const element = picture.current;
    if (!element) return undefined;
    const onMove = (event: PointerEvent): void => {
      const box = element.getBoundingClientRect();
      const isDragged = event.buttons !== 0;
      setAt(isDragged ? undefined : { x: event.clientX - box.left, y: event.clientY - box.top });
    };
    const onLeave = (): void => setAt(undefined);
    const onKey = ({ key }: KeyboardEvent): void => {
      if (key === 'Escape') setAt(undefined);
    };
    element.addEventListener('pointermove', onMove);
    element.addEventListener('pointerleave', onLeave);
    addEventListener('keydown', onKey);
    return () => {
      element.removeEventListener('pointermove', onMove);
      element.removeEventListener('pointerleave', onLeave);
      removeEventListener('keydown', onKey);
    };
  }, []);
  const index = at ? Math.floor(at.y / rowHeight) : focused;
  const lane = index === undefined ? undefined : lanes[index];
  if (!lane || index === undefined) return null;
  const x = at?.x ?? placeOf(lane, scale);
  const isRight = x > scale.width * 0.6;
  const side = isRight ? { right: `${scale.width - x + 14}px` } : { left: `${x + 14}px` };
  const isLow = index > 6 && index > lanes.length - 7;
  const top = isLow
    ? { bottom: `${(lanes.length - index) * rowHeight + 4}px` }
    : { top: `${(index + 1) * rowHeight + 4}px` };
  const isUtc = timeZoneMode.value === 'utc';
  return (
    <>
      {at && (
        <div class="crosshair" style={{ left: `${x}px` }}>
          <span style={{ top: `${Math.max(0, at.y - 26)}px` }}>
            {clockTime(scale.atOf(x), isUtc)}
          </span>
        </div>
      )}
      <div class="hover-card" role="tooltip" style={{ ...side, ...top }}>
        <LaneFacts {...{ lane, story, now, isUtc }} />
      </div>
    </>
  );
}

function placeOf(lane: Lane, scale: TimeScale): number {
  const at = lane.kind === 'step' ? beganAt(lane.step) : scale.from;
  return Math.min(scale.width, Math.max(0, scale.near(at)));
}

interface FactsProps {
  readonly story: Story;
  readonly now: number;
  readonly isUtc: boolean;
}

function LaneFacts({ lane, story, now, isUtc }: FactsProps & { readonly lane: Lane }): JSX.Element {
  switch (lane.kind) {
    case 'step':
      return <StepFacts {...{ story, now, isUtc }} step={lane.step} />;
    case 'group': {
      const states = Map.groupBy(lane.steps, stateOf);
      return (
        <>
          <strong>
            <Visible text={lane.name} /> × {integer(lane.steps.length)}
          </strong>
          {[...states].map(([state, steps]) => (
            <div key={state}>
              {integer(steps.length)} {state.toLowerCase()}
            </div>
          ))}
          <div class="meta">Height shows how many ran at a time.</div>
        </>
      );
    }
    case 'waits':
      return (
        <>
          <strong>Nothing is outstanding</strong>
          <div>so it can only wait for an external event. History does not tell which.</div>
        </>
      );
    case 'turns':
      return (
        <>
          <strong>{integer(story.turns.length)} turns</strong>
          <div>Each is one run of the orchestrator’s code.</div>
        </>
      );
    case 'root':
      return (
        <>
          <strong>
            <Visible text={story.name} />
          </strong>
          <div>began {clockTime(story.startAt, isUtc)}</div>
          {story.dueAt !== undefined && <div>scheduled for {clockTime(story.dueAt, isUtc)}</div>}
          <div>first turn {clockTime(story.turns[0]?.at ?? story.startAt, isUtc)}</div>
        </>
      );
    case 'more':
    case 'note':
      return <>{lane.kind === 'note' ? lane.text : `${integer(lane.left)} more`}</>;
  }
}

function StepFacts({ step, story, now, isUtc }: FactsProps & { readonly step: Step }): JSX.Element {
  const last = step.tries.at(-1);
  return (
    <>
      <strong>
        {stepWord(step.kind)} <Visible text={stepName(step)} />
      </strong>
      <div class={`s-${stateOf(step)}`}>{stateWord(step)}</div>
      {last?.failure && (
        <div>
          <Visible text={`${last.failure.type}: ${last.failure.message.slice(0, 160)}`} />
        </div>
      )}
      <div class="num">
        {clockTime(beganAt(step), isUtc)} – {last?.endAt ? clockTime(last.endAt, isUtc) : 'now'} ·{' '}
        {duration(lasted(step, now))}
      </div>
      <div class="meta num">
        {duration(beganAt(step) - story.startAt)} after the start
        {step.inputBytes > 0 && ` · input ${bytes(step.inputBytes)}`}
      </div>
      {step.tries.length > 1 && (
        <div class="meta">
          {step.tries.length} {step.kind === 'timer' ? 'parts' : 'tries'}
          {step.isInferred && ', inferred from name, version and input'}
        </div>
      )}
    </>
  );
}
