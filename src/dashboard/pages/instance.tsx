/** One orchestration: what it is, what happened, what it waits for, what can be done about it. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type {
  EventJson,
  HistoryJson,
  InstanceJson,
  RowJson,
  WaitingJson,
} from '../../server/http/api/contract.ts';
import { get, Problem } from '../api.ts';
import { follow, onInstances, resync } from '../live.ts';
import { StoryTeller } from '../model/history.ts';
import { hubHref, instanceApi, instanceHref, type InstanceTab } from '../model/routes.ts';
import type { Step, Story } from '../model/story.ts';
import { query, setQuery } from '../navigation.ts';
import {
  Copy,
  Empty,
  ProblemCard,
  Status,
  Time,
  Title,
  useTitle,
  Visible,
} from '../parts/basics.tsx';
import { lazily } from '../parts/lazy.tsx';
import { useData } from '../parts/use-data.ts';
import { Data } from './data.tsx';
import { History } from './history.tsx';
import { InstanceActions } from './instance-actions.tsx';
import { Lasted, Tags } from './row-table.tsx';
import { StepPanel } from './step-panel.tsx';
import { Waiting, WaitingLine } from './waiting.tsx';

const Timeline = lazily(() => import('./timeline.tsx').then((module) => module.Timeline));
const Flow = lazily(() => import('./flow.tsx').then((module) => module.Flow));

/** Events fetched for the picture; the history tab has them all. */
const EVENTS_MAX = 100_000;
const PAGE = 2000;

const TAB_NAMES: Readonly<Record<InstanceTab, string>> = {
  timeline: 'Timeline',
  history: 'History',
  flow: 'Flow',
  data: 'Input/Output',
  waiting: 'Why waiting',
};

export interface InstanceProps {
  readonly hub: string;
  readonly id: string;
  readonly tab: InstanceTab;
}

export function Instance({ hub, id, tab }: InstanceProps): JSX.Element {
  useTitle(`${id} · ${TAB_NAMES[tab]} · ${hub}`);
  const page = useData<InstanceJson>(instanceApi(hub, id));
  const [row, setRow] = useState<RowJson>();
  const [isGone, setGone] = useState(false);
  useEffect(() => {
    setRow(undefined);
    setGone(false);
    follow(hub, [id]);
    return onInstances(({ changed, gone }) => {
      const mine = changed.find((each) => each.id === id);
      if (mine) setRow(mine);
      if (mine) page.reload();
      if (gone.includes(id)) setGone(true);
    });
  }, [hub, id]);
  if (page.error !== undefined && !page.data)
    return <Missing {...{ hub, id }} error={page.error} />;
  if (!page.data) return <p class="muted">…</p>;
  const shown = row?.id === id ? row : page.data.instance;
  return (
    <>
      {isGone && (
        <div class="banner warn">This instance was purged. You see its last known state.</div>
      )}
      <Header {...{ hub, row: shown }} page={page.data} />
      <nav class="tabs" aria-label="Views of this orchestration">
        {Object.entries(TAB_NAMES).map(([name, text]) => (
          <a
            href={instanceHref(hub, id, name as InstanceTab)}
            aria-current={name === tab ? 'page' : undefined}
          >
            {text}
          </a>
        ))}
      </nav>
      <Tab {...{ hub, id, tab, row: shown }} page={page.data} />
    </>
  );
}

function Missing({ hub, id, error }: { hub: string; id: string; error: unknown }): JSX.Element {
  const isMissing = error instanceof Problem && error.code === 'INSTANCE_NOT_FOUND';
  return (
    <>
      <div class="head">
        <Title>
          <Visible text={id} />
        </Title>
      </div>
      {isMissing ? (
        <Empty>
          No instance “<Visible text={id} />” in “{hub}”. It may have been purged, or live in
          another hub. <a href={hubHref(hub)}>All orchestrations</a>
        </Empty>
      ) : (
        <ProblemCard error={error} />
      )}
    </>
  );
}

function Header({
  hub,
  row,
  page,
}: {
  readonly hub: string;
  readonly row: RowJson;
  readonly page: InstanceJson;
}): JSX.Element {
  const ancestors = [...page.ancestors].reverse();
  return (
    <header>
      <nav aria-label="Breadcrumb" class="row meta">
        <a href={hubHref(hub)}>Orchestrations</a>
        {ancestors.map((each) => (
          <span>
            / <a href={instanceHref(hub, each.id)}>{each.id}</a> {each.name} ({each.status})
          </span>
        ))}
      </nav>
      <div class="head">
        <Title>
          <span title={row.name}>
            <Visible text={row.displayName ?? row.name} />
          </span>{' '}
          <span class="mono">
            <Visible text={row.id} />
          </span>
        </Title>
        <Copy text={row.id} what="instance id" />
        <Status word={row.status} />
        <span class="num">
          {row.completedAt === undefined ? 'for' : 'after'} <Lasted row={row} />
        </span>
        <div class="push">
          <InstanceActions {...{ hub, row }} />
        </div>
      </div>
      <p class="meta">
        Started <Time at={row.createdAt} />
        {row.version !== '' && ` · version ${row.version}`}
        {row.generation > 1 && ` · generation ${row.generation}`} · execution{' '}
        <span class="mono">{row.executionId}</span> <Tags tags={row.tags} />
        {Object.entries(page.children).map(([status, count]) => (
          <a href={`${hubHref(hub)}?parent=${encodeURIComponent(row.id)}&status=${status}`}>
            {' '}
            {count} {status.toLowerCase()} sub-orchestrations
          </a>
        ))}
      </p>
      {row.failure && (
        <div class="banner bad">
          <strong>
            <Visible text={row.failure.type} />
          </strong>
          <Visible text={row.failure.message} />
        </div>
      )}
      {row.completedAt === undefined && (
        <WaitingLine {...{ hub }} id={row.id} revision={row.revision} />
      )}
      {row.customStatusPreview !== undefined && (
        <p>
          Custom status{' '}
          <code>
            <Visible text={row.customStatusPreview} />
          </code>
        </p>
      )}
    </header>
  );
}

interface TabProps extends InstanceProps {
  readonly row: RowJson;
  readonly page: InstanceJson;
}

function Tab({ hub, id, tab, row, page }: TabProps): JSX.Element {
  if (tab === 'data') return <Data {...{ hub, id, row, page }} />;
  if (tab === 'waiting') return <WaitingTab {...{ hub, id, row }} />;
  if (tab === 'history') return <History {...{ hub, id }} revision={row.revision} />;
  return <StoryTab {...{ hub, id, tab, row }} />;
}

function WaitingTab({ hub, id, row }: { hub: string; id: string; row: RowJson }): JSX.Element {
  const { data, error, reload } = useData<WaitingJson>(instanceApi(hub, id, 'waiting'));
  useEffect(reload, [row.revision]);
  useEffect(() => {
    const timer = setInterval(reload, 2000);
    return () => clearInterval(timer);
  }, []);
  if (error !== undefined && !data) return <ProblemCard error={error} onRetry={reload} />;
  return data ? <Waiting {...{ hub, row }} waiting={data} /> : <p class="muted">…</p>;
}

/** All events so far, the new ones appended as they come; a replaced history is read anew. */
export function useEvents(
  hub: string,
  id: string,
  revision: string,
): { readonly events: readonly EventJson[]; readonly error: unknown; readonly isAll: boolean } {
  const [state, setState] = useState<{ of: string; executionId: string; events: EventJson[] }>();
  const [error, setError] = useState<unknown>();
  const [isAll, setAll] = useState(false);
  const of = `${hub} ${id}`;
  const synced = resync.value;
  useEffect(() => {
    const controller = new AbortController();
    const read = async (): Promise<void> => {
      const known = state?.of === of ? state : undefined;
      let events = known?.events ?? [];
      let executionId = known?.executionId;
      for (;;) {
        const after = events.at(-1)?.ref;
        const params = `limit=${PAGE}${after === undefined ? '' : `&after=${after}`}`;
        const path = instanceApi(hub, id, 'history', params);
        const page = await get<HistoryJson>(path, controller.signal);
        if (executionId !== undefined && executionId !== page.executionId) events = [];
        const isNew = executionId !== undefined && executionId !== page.executionId;
        executionId = page.executionId;
        if (isNew) continue;
        events = [...events, ...page.items];
        setState({ of, executionId, events });
        if (page.next === undefined || events.length >= EVENTS_MAX) break;
      }
      setAll(true);
      setError(undefined);
    };
    read().catch((failure: unknown) => {
      if (!controller.signal.aborted) setError(failure);
    });
    return () => controller.abort();
  }, [of, revision, synced]);
  return { events: state?.of === of ? state.events : [], error, isAll };
}

/** Events that were appended cost no more than themselves. */
function useStory(events: readonly EventJson[]): Story {
  const teller = useRef({ teller: new StoryTeller(), told: 0, first: events[0] });
  return useMemo(() => {
    const { current } = teller;
    const isSame = events[0] === current.first && events.length >= current.told;
    const next = isSame ? current : { teller: new StoryTeller(), told: 0, first: events[0] };
    for (const event of events.slice(next.told)) next.teller.take(event);
    teller.current = { ...next, told: events.length };
    return next.teller.story;
  }, [events]);
}

interface Selection {
  readonly of: string;
  readonly step: Step;
}

function StoryTab({ hub, id, tab, row }: InstanceProps & { readonly row: RowJson }): JSX.Element {
  const { events, error, isAll } = useEvents(hub, id, row.revision);
  const story = useStory(events);
  const key = query().get('step') ?? undefined;
  const [inside, setInside] = useState<Selection>();
  const own = story.steps.find((each) => each.key === key);
  const chosen = own ? { of: id, step: own } : inside;
  const select = (step: Step | undefined, of = id): void => {
    const isSame = step === chosen?.step;
    const next = query();
    next.delete('step');
    if (step && of === id && !isSame) next.set('step', step.key);
    setInside(step && of !== id && !isSame ? { step, of } : undefined);
    setQuery(next, { replace: true });
  };
  if (error !== undefined && events.length === 0) return <ProblemCard error={error} />;
  if (events.length === 0) {
    return isAll ? (
      <Empty>Nothing has happened yet: its first turn has not been completed.</Empty>
    ) : (
      <p class="muted">…</p>
    );
  }
  const selected = chosen && (chosen.of === id ? '' : `${chosen.of}\n`) + chosen.step.key;
  return (
    <div class={chosen ? 'beside' : ''}>
      {tab === 'flow' ? (
        <Flow {...{ hub, id, story, selected }} onSelect={select} />
      ) : (
        <Timeline
          {...{ hub, id, story, selected }}
          status={row.status}
          generation={row.generation}
          onSelect={select}
        />
      )}
      {chosen && (
        <StepPanel
          {...{ hub }}
          id={chosen.of}
          step={chosen.step}
          onClose={() => select(undefined)}
        />
      )}
    </div>
  );
}
