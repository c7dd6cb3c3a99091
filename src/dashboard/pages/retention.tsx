import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { RetentionJson, RetentionPreviewJson } from '../../server/http/api/contract.ts';
import { post } from '../api.ts';
import { follow } from '../live.ts';
import { capped } from '../model/format.ts';
import { cannotAct, ProblemCard, Time, Title, toast, useTitle } from '../parts/basics.tsx';
import { Confirm } from '../parts/dialog.tsx';
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
  const [doomed, setDoomed] = useState<Doomed>();
  useEffect(() => follow('', []), []);
  useEffect(() => {
    if (data) setDays(daysOf(data));
  }, [data]);
  const save = async (policy: RetentionJson): Promise<void> => {
    await post('/api/v1/retention', policy, 'PUT');
    toast('Saved. It takes effect at the next sweep.');
    reload();
  };
  const submit = async (policy: RetentionJson): Promise<void> => {
    setFailure(undefined);
    const { items } = await post<RetentionPreviewJson>('/api/v1/retention/preview', policy);
    const some = items.filter(({ count }) => count > 0);
    if (some.length === 0) await save(policy);
    else setDoomed({ policy, items: some });
  };
  return (
    <>
      <div class="head">
        <Title>Retention</Title>
      </div>
      {error !== undefined && !data && <ProblemCard error={error} onRetry={reload} />}
      {days && (
        <form
          class="card"
          onSubmit={(event) => {
            event.preventDefault();
            submit(policyOf(days)).catch(setFailure);
          }}
        >
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
          <button type="submit" class="primary" disabled={cannotAct()}>
            Save
          </button>
        </form>
      )}
      {doomed && <ConfirmLoss {...doomed} onConfirm={save} onClose={() => setDoomed(undefined)} />}
    </>
  );
}

/** A policy, and what it would delete at once. */
interface Doomed {
  readonly policy: RetentionJson;
  readonly items: RetentionPreviewJson['items'];
}

interface ConfirmLossProps extends Doomed {
  readonly onConfirm: (policy: RetentionJson) => Promise<void>;
  readonly onClose: () => void;
}

function ConfirmLoss({ policy, items, onConfirm, onClose }: ConfirmLossProps): JSX.Element {
  const sum = {
    count: items.reduce((all, { count }) => all + count, 0),
    isCapped: items.some(({ isCapped }) => isCapped),
  };
  return (
    <Confirm
      title="Delete what is older"
      verb={`Save and delete ${capped(sum)}`}
      onConfirm={() => onConfirm(policy)}
      onClose={onClose}
    >
      <p>These instances are older already, in all hubs together. The next sweep deletes them:</p>
      <ul>
        {items.map((item) => (
          <li>
            {capped(item)} {item.orchestrationState.toLowerCase()}, ended before{' '}
            <Time at={item.endedBefore} />
          </li>
        ))}
      </ul>
      <p>What is deleted cannot be brought back.</p>
    </Confirm>
  );
}
