import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { RetentionJson } from '../../server/http/api/contract.ts';
import { post } from '../api.ts';
import { follow } from '../live.ts';
import { ProblemCard, Title, toast, useTitle } from '../parts/basics.tsx';
import { useData } from '../parts/use-data.ts';

const STATES = ['Default', 'Completed', 'Failed', 'Canceled', 'Terminated'] as const;
type StateName = (typeof STATES)[number];
type Days = Readonly<Record<StateName, string>>;

function daysOf({ retentionPolicies }: RetentionJson): Days {
  const found = new Map(
    retentionPolicies.map((rule) => [
      rule.orchestrationState ?? 'Default',
      String(rule.retentionPeriodInDays),
    ]),
  );
  return Object.fromEntries(STATES.map((state) => [state, found.get(state) ?? ''])) as Days;
}

function policyOf(days: Days): RetentionJson {
  return {
    retentionPolicies: STATES.filter((state) => days[state] !== '').map((state) => ({
      retentionPeriodInDays: Number(days[state]),
      ...(state !== 'Default' && { orchestrationState: state }),
    })),
  };
}

export function Retention(): JSX.Element {
  useTitle('Retention');
  const { data, error, reload } = useData<RetentionJson>('/api/v1/retention');
  const [days, setDays] = useState<Days>();
  const [failure, setFailure] = useState<unknown>();
  useEffect(() => follow('', []), []);
  useEffect(() => {
    if (data) setDays(daysOf(data));
  }, [data]);
  const save = (event: Event): void => {
    event.preventDefault();
    if (!days) return;
    post('/api/v1/retention', policyOf(days), 'PUT').then(() => {
      toast('Saved. It takes effect at the next sweep.');
      setFailure(undefined);
      reload();
    }, setFailure);
  };
  return (
    <>
      <div class="head">
        <Title>Retention</Title>
      </div>
      {error !== undefined && !data && <ProblemCard error={error} onRetry={reload} />}
      {days && (
        <form class="card" onSubmit={save}>
          <p>
            Instances that have ended are deleted after so many days, in every hub. 0 deletes them
            as soon as they have ended; an empty field of a status means the default, an empty
            default means that they are kept. What has not ended is never deleted.
          </p>
          {STATES.map((state) => (
            <label class="field">
              <span>{state}, days</span>
              <input
                type="number"
                min="0"
                max="90"
                placeholder={state === 'Default' ? 'kept' : 'as default'}
                value={days[state]}
                onInput={(event) => setDays({ ...days, [state]: event.currentTarget.value })}
              />
            </label>
          ))}
          {failure !== undefined && <ProblemCard error={failure} />}
          <button type="submit" class="primary">
            Save
          </button>
        </form>
      )}
    </>
  );
}
