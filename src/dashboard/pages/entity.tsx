/** One entity: its state, what waits for it, who locks it, and a form to signal it. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { EntityJson } from '../../server/http/api/entity-contract.ts';
import { Problem, post } from '../api.ts';
import { follow } from '../live.ts';
import { bytes, integer } from '../model/format.ts';
import { jsonProblem } from '../model/json-problem.ts';
import { entityApi, hubHref, instanceHref } from '../model/routes.ts';
import {
  Age,
  Copy,
  Empty,
  cannotAct,
  ProblemCard,
  Status,
  Title,
  toast,
  useTitle,
  Visible,
} from '../parts/basics.tsx';
import { Payload } from '../parts/payload.tsx';
import { useData } from '../parts/use-data.ts';
import { usePolling } from '../parts/use-polling.ts';

interface EntityProps {
  readonly hub: string;
  readonly id: string;
}

export function Entity({ hub, id }: EntityProps): JSX.Element {
  useTitle(`${id} · ${hub}`);
  useEffect(() => follow(hub, []), [hub]);
  const { data, error, reload } = useData<EntityJson>(entityApi(hub, id));
  usePolling(reload, 2000);
  const isGone = error instanceof Problem && error.code === 'INSTANCE_NOT_FOUND';
  return (
    <>
      <nav aria-label="Where this is">
        <a href={hubHref(hub, 'entities')}>Entities</a> /
      </nav>
      <div class="head">
        <Title>
          <span class="mono">
            <Visible text={id} />
          </span>
        </Title>
        <Copy text={id} what="entity id" />
      </div>
      {error !== undefined && !isGone && <ProblemCard error={error} onRetry={reload} />}
      {isGone ? <Gone /> : data && <Facts {...{ hub, data }} />}
      {!isGone && data?.entity.stateBytes !== undefined && <State {...{ hub, id, data }} />}
      <SignalForm {...{ hub, id }} onDone={reload} />
    </>
  );
}

function Gone(): JSX.Element {
  return (
    <Empty>
      This entity has neither state nor lock: it never had any, or it was deleted. A signal below
      brings it into being.
    </Empty>
  );
}

function Facts({ hub, data }: { readonly hub: string; readonly data: EntityJson }): JSX.Element {
  const { entity, owner } = data;
  return (
    <div class="card">
      <dl class="facts">
        <dt>Backlog</dt>
        <dd>{integer(entity.backlog)} waiting, with those in flight</dd>
        <dt>Locked by</dt>
        <dd>
          {entity.lockedBy === undefined ? (
            'nobody'
          ) : (
            <>
              <a class="id" href={instanceHref(hub, entity.lockedBy)}>
                <Visible text={entity.lockedBy} />
              </a>{' '}
              {owner && (
                <>
                  <Visible text={owner.displayName ?? owner.name} /> <Status word={owner.status} />
                </>
              )}
            </>
          )}
        </dd>
        <dt>Last modified</dt>
        <dd>
          <Age at={entity.modifiedAt} />
        </dd>
        <dt>State</dt>
        <dd>{entity.stateBytes === undefined ? 'none' : bytes(entity.stateBytes)}</dd>
      </dl>
    </div>
  );
}

function State({ hub, id, data }: EntityProps & { readonly data: EntityJson }): JSX.Element {
  const { modifiedAt, stateBytes = 0, statePreview } = data.entity;
  return (
    <div class="card" key={`${modifiedAt} ${statePreview ?? ''}`}>
      <Payload
        label="State"
        path={entityApi(hub, id, 'state')}
        summary={{ bytes: stateBytes, isCut: true }}
        isOpen
      />
    </div>
  );
}

interface SignalFormProps extends EntityProps {
  readonly onDone: () => void;
}

function SignalForm({ hub, id, onDone }: SignalFormProps): JSX.Element {
  const [operation, setOperation] = useState('');
  const [input, setInput] = useState('');
  const [at, setAt] = useState('');
  const [error, setError] = useState<unknown>();
  const problem = input.trim() === '' ? undefined : jsonProblem(input);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (problem !== undefined) return;
    const body = {
      operation,
      ...(input.trim() !== '' && { input }),
      ...(at !== '' && { scheduledAt: new Date(at).toISOString() }),
    };
    post(entityApi(hub, id, 'signal'), body).then(() => {
      setError(undefined);
      toast(`Signalled “${operation}”. It is applied when a worker takes it.`);
      onDone();
    }, setError);
  };
  return (
    <form class="card" aria-label="Signal" onSubmit={submit}>
      <h2>Signal</h2>
      <label class="field">
        <span>Operation</span>
        <input
          required
          value={operation}
          onInput={(event) => setOperation(event.currentTarget.value)}
        />
      </label>
      <label class="field">
        <span>Input (JSON)</span>
        <textarea
          value={input}
          spellcheck={false}
          aria-invalid={problem !== undefined}
          aria-describedby="signal-problem"
          onInput={(event) => setInput(event.currentTarget.value)}
        />
        <span id="signal-problem" class="error">
          {problem}
        </span>
      </label>
      <label class="field">
        <span>At (local time; empty: now)</span>
        <input
          type="datetime-local"
          value={at}
          onInput={(event) => setAt(event.currentTarget.value)}
        />
      </label>
      {error !== undefined && <ProblemCard error={error} />}
      <div class="row end">
        <button type="submit" class="primary" disabled={cannotAct()}>
          Send signal
        </button>
      </div>
    </form>
  );
}
