/** Who is connected, what they take and hold, and what was set aside. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type {
  DrainedJson,
  HeldJson,
  ParkedJson,
  WorkersJson,
} from '../../server/http/api/contract.ts';
import { post } from '../api.ts';
import { follow, summary } from '../live.ts';
import { capped, duration, integer } from '../model/format.ts';
import { apiPath, hubHref, instanceHref, type WorkerTab } from '../model/routes.ts';
import {
  Age,
  cannotAct,
  Copy,
  Empty,
  ProblemCard,
  Title,
  toast,
  useNow,
  useTitle,
  Visible,
} from '../parts/basics.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { lazily } from '../parts/lazy.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { useData } from '../parts/use-data.ts';
import { Unclaimed } from './unclaimed.tsx';

const Metrics = lazily(() => import('./metrics.tsx').then((module) => module.Metrics));

const TAB_NAMES: Readonly<Record<WorkerTab, string>> = {
  connected: 'Workers',
  metrics: 'Metrics',
  poisoned: 'Parked',
};

const KINDS = ['orchestration', 'activity', 'entity'] as const;
const KIND_NAMES = { orchestration: 'Orchestrations', activity: 'Activities', entity: 'Entities' };
const HEADS = [
  ...['Worker', 'Connected', ...KINDS.map((kind) => KIND_NAMES[kind])],
  ...['Takes', 'Delivered', 'Done', 'Given back'],
];

export function Workers({ hub, tab }: { readonly hub: string; readonly tab: WorkerTab }) {
  useTitle(`${TAB_NAMES[tab]} · ${hub}`);
  useEffect(() => follow(hub, []), [hub]);
  return (
    <>
      <div class="head">
        <Title>Workers &amp; metrics</Title>
      </div>
      <Queues />
      <Unclaimed hub={hub} />
      <nav class="tabs" aria-label="Views of workers">
        {Object.entries(TAB_NAMES).map(([name, text]) => (
          <a
            href={hubHref(hub, name === 'connected' ? 'workers' : `workers/${name}`)}
            aria-current={name === tab ? 'page' : undefined}
          >
            {text}
            {name === 'poisoned' &&
              (summary.value?.parked ?? 0) > 0 &&
              ` ${summary.value?.parked ?? ''}`}
          </a>
        ))}
      </nav>
      {tab === 'connected' && <Connected hub={hub} />}
      {tab === 'metrics' && <Metrics hub={hub} />}
      {tab === 'poisoned' && <Parked hub={hub} />}
    </>
  );
}

function Queues(): JSX.Element | null {
  const now = useNow();
  const { value } = summary;
  if (!value) return null;
  return (
    <div class="tiles">
      {KINDS.map((kind) => {
        const queued = value.backlog.filter((each) => each.kind === kind);
        const count = queued.reduce((sum, { pending }) => sum + pending, 0);
        const oldest = Math.min(...queued.map(({ oldestAt }) => Date.parse(oldestAt)));
        const isCapped = queued.some((each) => each.isCapped);
        return (
          <div class="card" key={kind}>
            <h2>{KIND_NAMES[kind]}</h2>
            <span class="num">
              {capped({ count, isCapped })} queued · {integer(value.active[kind])} in hand
              {queued.length > 0 && ` · oldest ${duration(now - oldest)}`}
            </span>
          </div>
        );
      })}
    </div>
  );
}

function Connected({ hub }: { readonly hub: string }): JSX.Element {
  const { data, error, reload } = useData<WorkersJson>(apiPath(hub, 'workers'));
  const [open, setOpen] = useState<number>();
  const [leaving, setLeaving] = useState<WorkersJson['items'][number]>();
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reload();
    }, 2000);
    return () => clearInterval(timer);
  }, []);
  if (error !== undefined && !data) return <ProblemCard error={error} onRetry={reload} />;
  if (!data) return <p class="muted">…</p>;
  if (data.items.length === 0) {
    return (
      <Empty>
        No worker is connected to “{hub}”. Connect one with the connection string on the{' '}
        <a href="/taskhubs">task hubs page</a>.
      </Empty>
    );
  }
  return (
    <Scroll label="Connected workers">
      {leaving && (
        <Drain
          {...{ hub }}
          worker={leaving}
          onClose={() => {
            setLeaving(undefined);
            reload();
          }}
        />
      )}
      <table>
        <caption class="hidden-text">Connected workers</caption>
        <thead>
          <tr>
            {HEADS.map((head) => (
              <th scope="col">{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.items.map((worker) => (
            <>
              <tr key={worker.stream}>
                <td>
                  <button
                    type="button"
                    class="icon-button"
                    aria-expanded={open === worker.stream}
                    aria-label={`Items in hand of ${worker.workerId ?? worker.stream}`}
                    onClick={() => setOpen(open === worker.stream ? undefined : worker.stream)}
                  >
                    {open === worker.stream ? '▾' : '▸'}
                  </button>
                  <span class="id">
                    <Visible text={worker.workerId ?? `stream ${worker.stream}`} />
                  </span>
                  <Copy text={worker.workerId ?? ''} what="worker id" />
                  {worker.isDraining && <span class="tag">leaving</span>}
                  {worker.isSticky && <span class="tag">keeps state</span>}
                  <div class="meta">
                    <Visible text={worker.userAgent ?? ''} />
                  </div>
                </td>
                <td>
                  <Age at={worker.connectedAt} />
                </td>
                {KINDS.map((kind) => (
                  <td class="num">
                    {worker.inFlight[kind]} of {worker.capacity[kind]}
                    {worker.inFlight[kind] >= worker.capacity[kind] && ' ▲ full'}
                  </td>
                ))}
                <td class="wide">
                  <Takes takes={worker.takes} />
                </td>
                <td class="num">{integer(worker.delivered)}</td>
                <td class="num">{integer(worker.completed)}</td>
                <td class="num">{integer(worker.gaveBack)}</td>
              </tr>
              {open === worker.stream && (
                <tr>
                  <td colSpan={9}>
                    <Held {...{ hub }} stream={worker.stream} />
                    <button
                      type="button"
                      disabled={worker.isDraining || cannotAct()}
                      onClick={() => setLeaving(worker)}
                    >
                      Drain worker
                    </button>
                  </td>
                </tr>
              )}
            </>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

interface DrainProps {
  readonly hub: string;
  readonly worker: WorkersJson['items'][number];
  readonly onClose: () => void;
}

function Drain({ hub, worker: { stream, workerId }, onClose }: DrainProps): JSX.Element {
  const name = workerId ?? `stream ${stream}`;
  const run = async (): Promise<void> => {
    const { drained } = await post<DrainedJson>(apiPath(hub, `workers/${stream}/drain`), {});
    toast(drained > 0 ? `${name} gets nothing more` : `${name} has gone meanwhile`);
  };
  return (
    <Confirm
      title="Drain worker"
      verb={`Drain ${name}`}
      isDanger={false}
      onConfirm={run}
      onClose={onClose}
    >
      <p>
        <span class="mono">
          <Visible text={name} />
        </span>{' '}
        gets nothing more and goes on with what it has in hand. Stop its process when nothing is in
        hand: a worker that connects again is served again.
      </p>
    </Confirm>
  );
}

type TakesJson = WorkersJson['items'][number]['takes'];

function Takes({ takes }: { readonly takes: TakesJson }): JSX.Element {
  const named = KINDS.flatMap((kind) => takes[kind] ?? []);
  const isOpen = KINDS.every((kind) => takes[kind] === undefined);
  if (isOpen) return <>anything</>;
  return (
    <details>
      <summary>{named.length} names</summary>
      {KINDS.map((kind) => (
        <div>
          {kind}:{' '}
          <Visible
            text={
              takes[kind]?.map(({ name, versions }) => [name, ...versions].join(' ')).join(', ') ??
              'anything'
            }
          />
        </div>
      ))}
    </details>
  );
}

function Held({ hub, stream }: { readonly hub: string; readonly stream: number }): JSX.Element {
  const { data, error } = useData<HeldJson>(apiPath(hub, `workers/${stream}/held`));
  if (error !== undefined) return <ProblemCard error={error} />;
  if (data?.items.length === 0) return <span class="muted">Nothing in hand.</span>;
  return (
    <ul>
      {data?.items.map(({ kind, name, id, since, attempts }) => (
        <li>
          {kind} <Visible text={name ?? ''} />{' '}
          {id !== undefined && <a href={instanceHref(hub, id)}>{id}</a>} since <Age at={since} />
          {attempts > 0 && ` · delivery ${attempts + 1}`}
        </li>
      ))}
    </ul>
  );
}

function Parked({ hub }: { readonly hub: string }): JSX.Element {
  const { data, error, reload } = useData<ParkedJson>(apiPath(hub, 'parked'));
  const retry = (id?: string): void => {
    post<{ retried: number }>(apiPath(hub, 'parked/retry'), id === undefined ? {} : { id }).then(
      ({ retried }) => {
        toast(`${retried} handed out again`);
        reload();
      },
      (failure: unknown) => toast(String(failure)),
    );
  };
  if (error !== undefined && !data) return <ProblemCard error={error} onRetry={reload} />;
  if (!data || data.items.length === 0) {
    return <Empty>Nothing is parked. Items come here after too many lost workers in a row.</Empty>;
  }
  return (
    <Scroll label="Parked items">
      <table>
        <caption>
          Parked items{' '}
          <button type="button" onClick={() => retry()}>
            Retry all
          </button>
        </caption>
        <thead>
          <tr>
            {['Kind', 'Name', 'Instance', 'Lost deliveries', 'Actions'].map((head) => (
              <th scope="col">{head}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.items.map((item) => (
            <tr>
              <td>{item.kind}</td>
              <td>
                <Visible text={item.name} />
              </td>
              <td>
                <a class="id" href={instanceHref(hub, item.id)}>
                  <Visible text={item.id} />
                </a>
              </td>
              <td class="num">{item.attempts}</td>
              <td>
                <button type="button" onClick={() => retry(item.id)}>
                  Retry<span class="hidden-text"> {item.id}</span>
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
