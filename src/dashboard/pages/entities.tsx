/** Entities of a hub: state, backlog, who locks them. */
import type { JSX, TargetedEvent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { CleanedJson, EntityPageJson } from '../../server/http/api/entity-contract.ts';
import { post } from '../api.ts';
import { follow } from '../live.ts';
import { bytes, integer, plural } from '../model/format.ts';
import { apiPath, entityHref, instanceHref } from '../model/routes.ts';
import { query, setQuery } from '../navigation.ts';
import {
  Age,
  Empty,
  cannotAct,
  ProblemCard,
  Time,
  Title,
  toast,
  useTitle,
  Visible,
} from '../parts/basics.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { useData } from '../parts/use-data.ts';
import { usePolling } from '../parts/use-polling.ts';

const RANGES: readonly (readonly [string, string])[] = [
  ['', 'any time'],
  ['-15m', 'last 15 min'],
  ['-1h', 'last hour'],
  ['-24h', 'last 24 hours'],
  ['-7d', 'last 7 days'],
];

export function Entities({ hub }: { readonly hub: string }): JSX.Element {
  useTitle(`Entities · ${hub}`);
  useEffect(() => follow(hub, []), [hub]);
  const text = query().toString();
  const path = apiPath(hub, `entities${text === '' ? '' : `?${text}`}`);
  const { data, error, reload } = useData<EntityPageJson>(path);
  const [isCleaning, setCleaning] = useState(false);
  usePolling(reload, 2000);
  return (
    <>
      <div class="head">
        <Title>Entities</Title>
        <button type="button" class="push" disabled={cannotAct()} onClick={() => setCleaning(true)}>
          Clean up
        </button>
      </div>
      <Filters />
      <div class="spaced" />
      {error !== undefined && <ProblemCard error={error} onRetry={reload} />}
      {data && data.items.length > 0 && <Rows {...{ hub, data }} />}
      {data?.items.length === 0 && <NoEntities hub={hub} />}
      {data && <Pager page={data} />}
      {isCleaning && <CleanUp {...{ hub }} onClose={() => setCleaning(false)} onDone={reload} />}
    </>
  );
}

function change(name: string, value: string): void {
  const next = query();
  next.delete('cursor');
  if (value === '') next.delete(name);
  else next.set(name, value);
  setQuery(next);
}

function Filters(): JSX.Element {
  const params = query();
  const prefix = params.get('prefix') ?? '';
  const [text, setText] = useState(prefix);
  useEffect(() => setText(prefix), [prefix]);
  const submit = (event: Event): void => {
    event.preventDefault();
    change('prefix', text.trim());
  };
  const onRange = (event: TargetedEvent<HTMLSelectElement>): void =>
    change('modifiedFrom', event.currentTarget.value);
  return (
    <form class="row filter-form" role="search" aria-label="Entities" onSubmit={submit}>
      <label>
        <span class="meta">Id begins with</span>{' '}
        <input
          type="search"
          value={text}
          placeholder="@counter@"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit">Filter</button>
      <label>
        <span class="meta">Modified</span>{' '}
        <select value={params.get('modifiedFrom') ?? ''} onChange={onRange}>
          {RANGES.map(([value, label]) => (
            <option value={value}>{label}</option>
          ))}
        </select>
      </label>
      <label>
        <input
          type="checkbox"
          checked={params.get('transient') === 'true'}
          onChange={(event) => change('transient', event.currentTarget.checked ? 'true' : '')}
        />{' '}
        Also those without state
      </label>
      {params.size > 0 && (
        <button type="button" class="link" onClick={() => setQuery(new URLSearchParams())}>
          Clear filters
        </button>
      )}
    </form>
  );
}

function Rows({ hub, data }: { readonly hub: string; readonly data: EntityPageJson }): JSX.Element {
  return (
    <Scroll label="Entities of this page">
      <table class="rows">
        <caption class="hidden-text">Entities</caption>
        <thead>
          <tr>
            {['Entity', 'State', 'Size', 'Backlog', 'Locked by', 'Modified'].map((head) => (
              <th scope="col">{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.items.map((entity) => (
            <tr key={entity.id}>
              <td>
                <a class="id" href={entityHref(hub, entity.id)}>
                  <Visible text={entity.id} />
                </a>
              </td>
              <td class="wide mono">
                {entity.statePreview === undefined ? (
                  <span class="muted">no state</span>
                ) : (
                  <Visible text={entity.statePreview} />
                )}
              </td>
              <td class="num">
                {entity.stateBytes === undefined ? '–' : bytes(entity.stateBytes)}
              </td>
              <td class="num">{integer(entity.backlog)}</td>
              <td>
                {entity.lockedBy === undefined ? (
                  '–'
                ) : (
                  <a class="id" href={instanceHref(hub, entity.lockedBy)}>
                    <Visible text={entity.lockedBy} />
                  </a>
                )}
              </td>
              <td>
                <Age at={entity.modifiedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function NoEntities({ hub }: { readonly hub: string }): JSX.Element {
  if (query().size > 0) return <Empty>No entity matches these filters.</Empty>;
  return (
    <Empty>
      No entity in hub “{hub}” has state. An entity comes into being with the first signal or call
      that gives it one, and goes when its state is deleted.
    </Empty>
  );
}

function Pager({ page }: { readonly page: EntityPageJson }): JSX.Element {
  const { next } = page;
  return (
    <nav class="row pager" aria-label="Pages">
      {query().has('cursor') && (
        <button type="button" onClick={() => change('cursor', '')}>
          « First
        </button>
      )}
      <button
        type="button"
        disabled={next === undefined}
        onClick={() => change('cursor', next ?? '')}
      >
        Next ›
      </button>
      <span class="meta">
        as of <Time at={page.asOf} />
      </span>
    </nav>
  );
}

interface CleanUpProps {
  readonly hub: string;
  readonly onClose: () => void;
  readonly onDone: () => void;
}

function CleanUp({ hub, onClose, onDone }: CleanUpProps): JSX.Element {
  const run = async (): Promise<void> => {
    let released = 0;
    let cursor: string | undefined;
    do {
      const body = cursor === undefined ? {} : { cursor };
      const answer = await post<CleanedJson>(apiPath(hub, 'entities/clean'), body);
      released += answer.locksReleased;
      cursor = answer.next;
    } while (cursor !== undefined);
    toast(`Clean-up is done: ${plural(released, 'orphaned lock')} released.`);
    onDone();
  };
  return (
    <Confirm
      title="Clean up entities"
      verb="Clean up"
      isDanger={false}
      onConfirm={run}
      {...{ onClose }}
    >
      <p>Releases the locks of orchestrations in “{hub}” that are over or gone.</p>
      <p class="muted">
        Entities without state need no clean-up: they are gone with their last message. Locks of
        orchestrations that still run stay: these believe that they hold them.
      </p>
    </Confirm>
  );
}
