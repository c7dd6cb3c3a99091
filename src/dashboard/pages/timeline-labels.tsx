/** What each lane is, in the column of labels; every one is a sentence for those who do not see the picture. */
import type { JSX } from 'preact';
import { duration, integer } from '../model/format.ts';
import { GROUP_PAGE, isOverdue, type GroupLane, type Lane, type StepLane } from '../model/lanes.ts';
import { instanceHref } from '../model/routes.ts';
import { stepLabel, stepOutcome, stepWord } from '../model/steps.ts';
import { stateOf, type Step, type Story } from '../model/story.ts';
import { Visible } from '../parts/basics.tsx';
import { StepIcon } from '../parts/step-icon.tsx';

export interface LaneLabelProps {
  readonly hub: string;
  readonly lane: Lane;
  readonly story: Story;
  readonly status: string;
  readonly now: number;
  readonly usual: ReadonlyMap<string, number>;
  /** Key of the lane whose step is selected. */
  readonly selected: string | undefined;
  /** Whether the tab key stops here. */
  readonly isActive: boolean;
  readonly onSelect: (lane: StepLane) => void;
  readonly onToggle: (lane: Lane) => void;
}

export function LaneLabel(props: LaneLabelProps): JSX.Element {
  const { lane, story, status, now, isActive, hub, onToggle } = props;
  const tabIndex = isActive ? 0 : -1;
  switch (lane.kind) {
    case 'root': {
      const took = duration((story.endAt ?? now) - story.startAt);
      return (
        <span class="label" tabIndex={tabIndex} role="note">
          <strong>
            <Visible text={story.name} />
          </strong>
          <span class="hidden-text">
            , {status} after {took}
          </span>
        </span>
      );
    }
    case 'turns':
      return (
        <span class="label meta" tabIndex={tabIndex} role="note">
          {integer(story.turns.length)} turns
        </span>
      );
    case 'waits':
      return (
        <span class="label" tabIndex={tabIndex} role="note">
          <StepIcon kind="event" />
          waits for an event <span class="meta">(inferred)</span>
        </span>
      );
    case 'group':
      return <GroupLabel {...{ lane, tabIndex, onToggle }} />;
    case 'more':
      return (
        <button type="button" class="label" {...{ tabIndex }} onClick={() => onToggle(lane)}>
          <Indent depth={lane.depth} />
          Show {Math.min(GROUP_PAGE, lane.left)} more of {integer(lane.left)}
        </button>
      );
    case 'note':
      return (
        <a class="label" {...{ tabIndex }} href={instanceHref(hub, lane.of)}>
          <Indent depth={lane.depth} />
          {lane.text}
        </a>
      );
    case 'step':
      return <StepLabel {...props} lane={lane} />;
  }
}

function Indent({ depth }: { readonly depth: number }): JSX.Element {
  return <span class="indent">{'\u2003'.repeat(depth)}</span>;
}

interface GroupLabelProps {
  readonly lane: GroupLane;
  readonly tabIndex: number;
  readonly onToggle: (lane: Lane) => void;
}

function GroupLabel({ lane, tabIndex, onToggle }: GroupLabelProps): JSX.Element {
  const count = (state: string): number =>
    lane.steps.filter((step) => stateOf(step) === state).length;
  const [failed, running] = [count('Failed'), count('Running')];
  return (
    <button
      type="button"
      class="label"
      {...{ tabIndex }}
      aria-expanded={lane.isOpen}
      onClick={() => onToggle(lane)}
    >
      <Indent depth={lane.depth} />
      <span class="fold">{lane.isOpen ? '▾' : '▸'}</span>
      <StepIcon kind={lane.stepKind} />
      <Visible text={lane.name === '' ? lane.stepKind : lane.name} /> × {integer(lane.steps.length)}
      {failed > 0 && <strong class="s-Failed"> ✕ {integer(failed)}</strong>}
      <span class="hidden-text">
        , {failed} failed, {running} running
      </span>
    </button>
  );
}

function StepLabel(props: LaneLabelProps & { readonly lane: StepLane }): JSX.Element {
  const { lane, now, usual, selected, isActive, onSelect, onToggle } = props;
  const { step, isOpen } = lane;
  const tabIndex = isActive ? 0 : -1;
  return (
    <span class={`label${selected === lane.key ? ' selected' : ''}`}>
      <Indent depth={lane.depth} />
      {isOpen !== undefined && (
        <button
          type="button"
          class="fold"
          tabIndex={-1}
          aria-expanded={isOpen}
          aria-label={`Steps of ${step.target ?? ''}`}
          onClick={() => onToggle(lane)}
        >
          {isOpen ? '▾' : '▸'}
        </button>
      )}
      <button
        type="button"
        class="name"
        {...{ tabIndex }}
        aria-pressed={selected === lane.key}
        title={stepLabel(step)}
        onClick={() => onSelect(lane)}
      >
        <StepIcon kind={step.kind} />
        {step.kind !== 'timer' && <span class="hidden-text">{stepWord(step.kind)} </span>}
        <StepText step={step} />
        <span class="hidden-text">, {stepOutcome(step, now)}</span>
        {isOverdue(step, usual, now) && (
          <span class="s-attention" title="Three times as long as its siblings took">
            {' '}
            ▲
          </span>
        )}
      </button>
    </span>
  );
}

function StepText({ step }: { readonly step: Step }): JSX.Element {
  const text = <Visible text={stepLabel(step)} />;
  return stateOf(step) === 'Failed' ? <strong class="s-Failed">{text}</strong> : text;
}
