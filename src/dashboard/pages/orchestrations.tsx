/** The list: what runs, what failed, and everything that can be done to many at once. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { NamesJson, RowJson, RowPageJson } from '../../server/http/api/contract.ts';
import { get } from '../api.ts';
import { isAuto } from '../habits.ts';
import { follow, onInstances, summary } from '../live.ts';
import { plural } from '../model/format.ts';
import { apiPath } from '../model/routes.ts';
import { query, setQuery } from '../navigation.ts';
import { cannotAct, Empty, ProblemCard, Time, Title, useTitle } from '../parts/basics.tsx';
import { useData } from '../parts/use-data.ts';
import { BulkBar } from './bulk-bar.tsx';
import { Chips, FilterForm, filterQuery, StatusTiles } from './filters.tsx';
import { RowTable } from './row-table.tsx';
import { StartForm } from './start-form.tsx';
import { Unclaimed } from './unclaimed.tsx';
import { Views } from './views.tsx';

const OWN = ['new', 'auto', 'columns'];

function listPath(hub: string): string {
  const params = query();
  for (const name of OWN) params.delete(name);
  const text = params.toString();
  return apiPath(hub, `orchestrations${text === '' ? '' : `?${text}`}`);
}

export function Orchestrations({ hub }: { readonly hub: string }): JSX.Element {
  useTitle(`Orchestrations · ${hub}`);
  const path = listPath(hub);
  const page = useData<RowPageJson>(path);
  const names = useData<NamesJson>(apiPath(hub, 'names'));
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [isAllMatching, setAllMatching] = useState(false);
  const rows = page.data?.items ?? [];
  const gone = useLiveRows(hub, rows, page.patch);
  const fresh = useNewMatches(path, rows, page.patch, selected.size > 0);
  useEffect(() => {
    setSelected(new Set());
    setAllMatching(false);
  }, [hub, filterQuery().toString()]);
  const isStarting = query().has('new');
  return (
    <>
      <div class="head">
        <Title>Orchestrations</Title>
        <div class="row push">
          <label>
            <input
              type="checkbox"
              checked={isAuto.value}
              onChange={(event) => (isAuto.value = event.currentTarget.checked)}
            />{' '}
            Auto-refresh
          </label>
          <Views hub={hub} />
          <button type="button" onClick={page.reload}>
            Refresh
          </button>
          <button
            type="button"
            class="primary"
            disabled={cannotAct()}
            onClick={() => openStart(true)}
          >
            Start orchestration
          </button>
        </div>
      </div>
      <StatusTiles />
      <FilterForm names={names.data} />
      <div class="spaced" />
      <Chips />
      <Unclaimed hub={hub} />
      {page.error !== undefined && <ProblemCard error={page.error} onRetry={page.reload} />}
      {fresh.count > 0 && (
        <button type="button" class="new-rows" onClick={fresh.show}>
          ↑ {plural(fresh.count, 'new match', 'new matches')} — show
        </button>
      )}
      {page.data && rows.length > 0 && (
        <RowTable
          {...{ hub, rows, gone, selected }}
          onSelect={(next) => {
            setSelected(next);
            setAllMatching(false);
          }}
        />
      )}
      {page.data && rows.length === 0 && <NoRows hub={hub} isPartial={page.data.isPartial} />}
      {page.data && <Pager page={page.data} />}
      {selected.size > 0 && (
        <BulkBar
          {...{ hub, selected, isAllMatching }}
          onAllMatching={() => setAllMatching(true)}
          onClear={() => {
            setSelected(new Set());
            setAllMatching(false);
          }}
          onDone={page.reload}
        />
      )}
      {isStarting && <StartForm {...{ hub }} names={names.data} onClose={() => openStart(false)} />}
    </>
  );
}

function openStart(isOpen: boolean): void {
  const next = query();
  if (isOpen) next.set('new', '');
  else for (const name of OWN) next.delete(name);
  setQuery(next, { replace: !isOpen });
}

/** Rows change in place; the ids that are gone stay, struck through, until the next refresh. */
function useLiveRows(
  hub: string,
  rows: readonly RowJson[],
  patch: (change: (page: RowPageJson) => RowPageJson) => void,
): ReadonlySet<string> {
  const [gone, setGone] = useState<ReadonlySet<string>>(new Set());
  const ids = rows.map(({ id }) => id);
  useEffect(() => {
    follow(hub, ids);
    setGone(new Set());
  }, [hub, ids.join('\n')]);
  useEffect(
    () =>
      onInstances((change) => {
        const changed = new Map(change.changed.map((row) => [row.id, row]));
        patch((page) => ({
          ...page,
          items: page.items.map((row) => changed.get(row.id) ?? row),
        }));
        if (change.gone.length > 0) setGone((before) => new Set([...before, ...change.gone]));
      }),
    [patch],
  );
  return gone;
}

interface NewMatches {
  readonly count: number;
  readonly show: () => void;
}

/**
 * Looks for new matches on the first page whenever the hub's numbers change. They are put in only while nobody reads:
 * otherwise their number is said, and the row under the pointer stays where it is.
 */
function useNewMatches(
  path: string,
  rows: readonly RowJson[],
  patch: (change: (page: RowPageJson) => RowPageJson) => void,
  isSelecting: boolean,
): NewMatches {
  const [found, setFound] = useState<RowPageJson>();
  const known = useMemo(() => new Set(rows.map(({ id }) => id)), [rows]);
  const lookedAt = useRef(0);
  const numbers = JSON.stringify(summary.value?.counts);
  useEffect(() => setFound(undefined), [path]);
  useEffect(() => {
    if (path.includes('cursor=')) return undefined;
    const controller = new AbortController();
    const waitMs = Math.max(0, lookedAt.current + 2000 - Date.now());
    const timer = setTimeout(() => {
      lookedAt.current = Date.now();
      get<RowPageJson>(path, controller.signal).then(setFound, () => undefined);
    }, waitMs);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [path, numbers]);
  const count = found?.items.filter(({ id }) => !known.has(id)).length ?? 0;
  const show = (): void => {
    if (found) patch(() => found);
    setFound(undefined);
  };
  useEffect(() => {
    if (found && isAuto.value && !isSelecting && !isReading()) show();
  }, [found]);
  return { count, show };
}

/** Somebody's pointer, focus or scroll position is in the table. */
function isReading(): boolean {
  const table = document.querySelector('.rows');
  if (!table) return false;
  return table.matches(':hover') || table.contains(document.activeElement) || scrollY > 40;
}

function Pager({ page }: { readonly page: RowPageJson }): JSX.Element {
  const go = (cursor: string | undefined): void => {
    const next = query();
    if (cursor === undefined) next.delete('cursor');
    else next.set('cursor', cursor);
    setQuery(next);
  };
  return (
    <nav class="row pager" aria-label="Pages">
      {query().has('cursor') && (
        <button type="button" onClick={() => go(undefined)}>
          « First
        </button>
      )}
      <button type="button" disabled={page.prev === undefined} onClick={() => go(page.prev)}>
        ‹ Previous
      </button>
      <button type="button" disabled={page.next === undefined} onClick={() => go(page.next)}>
        {page.isPartial ? 'Look further ›' : 'Next ›'}
      </button>
      <span class="meta">
        as of <Time at={page.asOf} />
        {page.isPartial && ' · the search goes on behind this page'}
      </span>
    </nav>
  );
}

function NoRows({
  hub,
  isPartial,
}: {
  readonly hub: string;
  readonly isPartial: boolean;
}): JSX.Element {
  if (isPartial) return <Empty>Nothing among the first 50,000. Look further below.</Empty>;
  if (filterQuery().size > 0) {
    return <Empty>No orchestration matches these filters.</Empty>;
  }
  const workers = summary.value?.workers ?? 0;
  return (
    <Empty>
      <p>
        No orchestration in hub “{hub}” yet. Start one here, or run an app that is connected to it.
      </p>
      {workers === 0 && (
        <p>
          No worker is connected either. Common causes: another hub name, port 8082 instead of the
          gRPC port, https against a plain-text port, or a storage provider other than
          <code> azureManaged</code>.
        </p>
      )}
    </Empty>
  );
}
