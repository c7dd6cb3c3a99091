/** Why nothing happens: each thing that is waited for, and what every connected worker would do with it. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { RowJson, WaitingJson } from '../../server/http/api/contract.ts';
import { serverNow } from '../live.ts';
import { duration } from '../model/format.ts';
import { hubHref, instanceApi, instanceHref } from '../model/routes.ts';
import { Empty, Status, useNow, Visible } from '../parts/basics.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { useData } from '../parts/use-data.ts';

type Item = WaitingJson['items'][number];

function subject({ kind, name = '', version = '' }: Item): string {
  return `${kind ?? ''} “${name}”${version === '' ? '' : ` ${version}`}`;
}

const SENTENCES: Readonly<Record<string, (item: Item, now: number) => string>> = {
  scheduled: (item, now) => `Its start is scheduled: in ${until(item, now)}.`,
  suspended: () => 'It is suspended. Events wait in its inbox until it is resumed.',
  'hub-has-no-worker': (item) =>
    (item.workers ?? []).length > 0
      ? `${subject(item)} waits, and every worker of this hub is leaving.`
      : `${subject(item)} waits, and no worker is connected to this hub.`,
  'name-not-taken': (item) => `No connected worker takes ${subject(item)}.`,
  'version-not-taken': (item) => `${subject(item)}: workers take the name, but not this version.`,
  'all-busy': (item) => `All workers that take ${subject(item)} are full.`,
  'with-worker': (item, now) =>
    `${subject(item)} is with worker ${item.worker ?? 'of another node'}${
      item.since === undefined ? '' : ` for ${duration(now - Date.parse(item.since))}`
    }.`,
  'worker-lost': (item, now) =>
    `The worker was lost with ${subject(item)}; it goes out again in ${until(item, now)}.`,
  'given-back': (item, now) =>
    `Workers gave ${subject(item)} back ${item.abandons ?? 0} times; next try in ${until(item, now)}.`,
  poisoned: (item) => `${subject(item)} is parked after ${item.attempts ?? 0} lost deliveries.`,
  timer: (item, now) => `Timer fires in ${until(item, now)}.`,
  child: (item) =>
    `Sub-orchestration “${item.name ?? ''}” is ${item.childStatus?.toLowerCase() ?? 'running'}.`,
  'turn-due': (item) => `${subject(item)} is due; a worker with room takes it next.`,
  event: () =>
    'Nothing is outstanding: it waits for an external event. The protocol does not say which one.',
};

function until({ dueAt }: Item, now: number): string {
  return dueAt === undefined ? 'a moment' : duration(Date.parse(dueAt) - now);
}

function sentenceOf(item: Item, now: number): string {
  return SENTENCES[item.code]?.(item, now) ?? item.code;
}

export interface WaitingProps {
  readonly hub: string;
  readonly row: RowJson;
  readonly waiting: WaitingJson;
}

export function Waiting({ hub, row, waiting }: WaitingProps): JSX.Element {
  if (row.completedAt !== undefined) {
    return <Empty>It is not waiting: it ended at {row.completedAt}.</Empty>;
  }
  return (
    <section aria-label="Why waiting">
      <ol class="waits">
        {waiting.items.map((item) => (
          <li class="card">
            <WaitItem {...{ hub, item }} />
          </li>
        ))}
      </ol>
      {waiting.otherHubs.length > 0 && (
        <p class="muted">
          Workers are connected to other hubs:{' '}
          {waiting.otherHubs.map(({ hub: name, workers }) => `${name} (${workers})`).join(', ')}.
        </p>
      )}
    </section>
  );
}

const CLASS_MARK = { problem: '▲', load: '●', normal: '○' } as const;

function WaitItem({ hub, item }: { readonly hub: string; readonly item: Item }): JSX.Element {
  const now = useNow();
  return (
    <>
      <p class={item.class === 'problem' ? 's-attention' : ''}>
        <span aria-hidden="true">{CLASS_MARK[item.class]} </span>
        <strong>
          <Visible text={sentenceOf(item, now)} />
        </strong>
        {item.inferred && <span class="tag">inferred</span>}
        {item.eventId !== undefined && <span class="meta"> event id {item.eventId}</span>}
      </p>
      {item.childId !== undefined && (
        <p>
          <a href={instanceHref(hub, item.childId, 'waiting')}>{item.childId}</a>{' '}
          <Status word={item.childStatus ?? 'Running'} />
        </p>
      )}
      {item.closest !== undefined && <p>Closest name that a worker takes: “{item.closest}”.</p>}
      {item.workers && item.workers.length > 0 && <Verdicts workers={item.workers} />}
      {item.class === 'problem' && (
        <p>
          <a href={hubHref(hub, 'workers')}>Workers</a>
          {item.code === 'poisoned' && (
            <>
              {' '}
              · <a href={hubHref(hub, 'workers/poisoned')}>Parked items</a>
            </>
          )}
        </p>
      )}
    </>
  );
}

const VERDICTS: Readonly<Record<string, string>> = {
  takes: '✓ takes it',
  full: '● takes it, full now',
  name: '✕ name not registered',
  version: '✕ version not accepted',
  draining: '✕ is leaving',
};

function Verdicts({ workers }: { readonly workers: NonNullable<Item['workers']> }): JSX.Element {
  return (
    <Scroll label="What each connected worker would do">
      <table>
        <caption class="hidden-text">What each connected worker would do</caption>
        <tbody>
          {workers.map(({ stream, workerId, verdict, announces }) => (
            <tr>
              <th scope="row">
                <Visible text={workerId ?? `stream ${stream}`} />
              </th>
              <td>{VERDICTS[verdict]}</td>
              <td class="wide muted">
                {announces === undefined
                  ? 'announces no filter: takes anything'
                  : `takes ${announces.join(', ') || 'nothing of this kind'}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

/** The answer in one line, where nobody has to look for it. */
export function WaitingLine({
  hub,
  id,
  revision,
}: {
  readonly hub: string;
  readonly id: string;
  readonly revision: string;
}): JSX.Element | null {
  const { data, reload } = useData<WaitingJson>(instanceApi(hub, id, 'waiting'));
  useEffect(reload, [revision]);
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reload();
    }, 3000);
    return () => clearInterval(timer);
  }, []);
  const [first] = data?.items ?? [];
  if (!first) return null;
  return (
    <div class={`banner ${first.class === 'problem' ? 'warn' : 'plain'}`}>
      <span>
        {CLASS_MARK[first.class]} <Visible text={sentenceOf(first, serverNow())} />
      </span>
      <a href={instanceHref(hub, id, 'waiting')}>Why</a>
    </div>
  );
}
