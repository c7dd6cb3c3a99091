/** What one step was given and gave. */
import type { JSX } from 'preact';
import { duration } from '../model/format.ts';
import { instanceApi, instanceHref } from '../model/routes.ts';
import { stepLabel, stepWord } from '../model/steps.ts';
import type { Step, Try } from '../model/story.ts';
import { Status, Visible } from '../parts/basics.tsx';
import { Payload } from '../parts/payload.tsx';
import { FailureTree } from './data.tsx';

export interface StepPanelProps {
  readonly hub: string;
  readonly id: string;
  readonly step: Step;
  readonly onClose: () => void;
}

export function StepPanel({ hub, id, step, onClose }: StepPanelProps): JSX.Element {
  return (
    <section class="card spaced step-panel" aria-label="Selected step">
      <div class="head">
        <h2>
          {stepWord(step.kind)} <Visible text={stepLabel(step)} />
        </h2>
        <button type="button" class="icon-button push" aria-label="Close" onClick={onClose}>
          ✕
        </button>
      </div>
      {step.isInferred && (
        <p class="meta">
          The tries were put together from history: same name and size of input after a timer.
        </p>
      )}
      {step.kind === 'child' && step.target !== undefined && (
        <p>
          <a href={instanceHref(hub, step.target)}>Open {step.target}</a>
        </p>
      )}
      {step.tries.map((each, index) => (
        <TryDetails {...{ hub, id, step, each }} number={index + 1} key={each.startPosition} />
      ))}
    </section>
  );
}

interface TryProps {
  readonly hub: string;
  readonly id: string;
  readonly step: Step;
  readonly each: Try;
  readonly number: number;
}

function TryDetails({ hub, id, step, each, number }: TryProps): JSX.Element {
  const path = (ref: string, field: string): string =>
    instanceApi(hub, id, `history/${ref}/payload/${field}`);
  const isEnded = each.state === 'Completed' || each.state === 'Failed' || each.state === 'Running';
  const hasInput = step.kind !== 'timer' && step.kind !== 'lock';
  const result = step.kind === 'call' ? 'output' : 'result';
  const { endRef } = each;
  return (
    <div class="spaced">
      <div class="row">
        {step.tries.length > 1 && <strong>Try {number}</strong>}
        {isEnded ? <Status word={each.state} /> : <span>{each.state}</span>}
        {each.endAt !== undefined && <span>{duration(each.endAt - each.startAt)}</span>}
        <a href={`${instanceHref(hub, id, 'history')}?event=${each.startPosition}`}>
          event {each.startPosition}
        </a>
        {each.endPosition !== undefined && (
          <a href={`${instanceHref(hub, id, 'history')}?event=${each.endPosition}`}>
            event {each.endPosition}
          </a>
        )}
      </div>
      {each.failure && <FailureTree failure={each.failure} />}
      {hasInput && <Payload label="Input" path={path(each.startRef, 'input')} />}
      {each.state === 'Completed' && endRef !== undefined && hasInput && (
        <Payload label="Result" path={path(endRef, result)} />
      )}
    </div>
  );
}
