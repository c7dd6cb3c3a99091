/** The steps of a run as a plain table: what pictures show, for whoever cannot or would not look at them. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { timeZoneMode } from '../habits.ts';
import { clockTime, duration, integer } from '../model/format.ts';
import { lasted, stateWord, stepName, stepWord } from '../model/steps.ts';
import { beganAt, type Step, type Story } from '../model/story.ts';
import { Visible } from '../parts/basics.tsx';
import { Scroll } from '../parts/scroll.tsx';

const PAGE = 200;

export interface StepTableProps {
  readonly story: Story;
  readonly steps: readonly Step[];
  readonly now: number;
  readonly onSelect: (step: Step) => void;
}

export function StepTable({ story, steps, now, onSelect }: StepTableProps): JSX.Element {
  const [count, setCount] = useState(PAGE);
  const isUtc = timeZoneMode.value === 'utc';
  return (
    <Scroll label="Table of steps">
      <table>
        <caption class="hidden-text">Steps, in the order in which they began</caption>
        <thead>
          <tr>
            {['Kind', 'Name', 'State', 'Tries', 'Began', 'After start', 'Took', 'Error'].map(
              (head) => (
                <th scope="col">{head}</th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {steps.slice(0, count).map((step) => (
            <tr key={step.key}>
              <td>{stepWord(step.kind)}</td>
              <td>
                <button type="button" class="link" onClick={() => onSelect(step)}>
                  <Visible text={stepName(step)} />
                </button>
              </td>
              <td>{stateWord(step)}</td>
              <td class="num">
                {step.tries.length}
                {step.isInferred && <span title="Inferred from name, version and input"> ~</span>}
              </td>
              <td class="num">{clockTime(beganAt(step), isUtc)}</td>
              <td class="num">+{duration(beganAt(step) - story.startAt)}</td>
              <td class="num">{duration(lasted(step, now))}</td>
              <td>
                <Visible text={step.tries.at(-1)?.failure?.type ?? ''} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {steps.length > count && (
        <button type="button" onClick={() => setCount(count + PAGE)}>
          Show {integer(Math.min(PAGE, steps.length - count))} more of{' '}
          {integer(steps.length - count)}
        </button>
      )}
    </Scroll>
  );
}
