import type { JSX } from 'preact';
import { stepIcon } from '../model/steps.ts';
import type { StepKind } from '../model/story.ts';

/** The sign of a kind of step; words say the same beside it. */
export function StepIcon({ kind }: { readonly kind: StepKind }): JSX.Element {
  return (
    <svg class="step-icon" width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
      <path d={stepIcon(kind)} />
    </svg>
  );
}
