/** Every event as it is stored, a bounded number of rows in the document at a time. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { EventJson } from '../../server/http/api/contract.ts';
import { timeZoneMode } from '../habits.ts';
import { bytes, clockTime, duration } from '../model/format.ts';
import { instanceApi, instanceHref } from '../model/routes.ts';
import { query, setQuery } from '../navigation.ts';
import { Empty, ProblemCard, Visible } from '../parts/basics.tsx';
import { Payload } from '../parts/payload.tsx';
import { FailureTree } from './data.tsx';
import { useEvents } from './instance.tsx';
import { Scroll } from '../parts/scroll.tsx';

const PAGE = 200;

export interface HistoryProps {
  readonly hub: string;
  readonly id: string;
  readonly revision: string;
}

/** `taskScheduled` → `Task scheduled`. */
function eventName(kind: string): string {
  const words = kind.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Ends point at what scheduled them, and the other way round. */
function partners(events: readonly EventJson[]): ReadonlyMap<number, number> {
  const scheduled = new Map<string, number>();
  const found = new Map<number, number>();
  for (const { kind, eventId, scheduledId, requestId, position } of events) {
    if (scheduledId === undefined && requestId === undefined && eventId >= 0) {
      scheduled.set(`${familyOf(kind)} ${eventId}`, position);
    }
    if (requestId !== undefined && /Called|Requested/.test(kind))
      scheduled.set(requestId, position);
    const key = scheduledId === undefined ? requestId : `${familyOf(kind)} ${scheduledId}`;
    const start = key === undefined ? undefined : scheduled.get(key);
    if (start === undefined || start === position) continue;
    found.set(position, start);
    found.set(start, position);
  }
  return found;
}

function familyOf(kind: string): string {
  return /^(task|subOrchestration|timer)/.exec(kind)?.[0] ?? kind;
}

export function History({ hub, id, revision }: HistoryProps): JSX.Element {
  const { events, error, isAll } = useEvents(hub, id, revision);
  const params = query();
  const chosen = Number(params.get('event') ?? 0);
  const [kind, setKind] = useState('');
  const [text, setText] = useState('');
  const [hidesTurns, setHidesTurns] = useState(false);
  const pairs = useMemo(() => partners(events), [events]);
  const kinds = [...new Set(events.map((event) => event.kind))].sort();
  const startAt = Date.parse(events[0]?.at ?? '');
  const needle = text.toLowerCase();
  const shown = events.filter(
    (event) =>
      (kind === '' || event.kind === kind) &&
      (!hidesTurns || event.kind !== 'orchestratorStarted') &&
      (needle === '' || JSON.stringify(event).toLowerCase().includes(needle)),
  );
  const first = Math.max(
    0,
    shown.findIndex(({ position }) => position === chosen),
  );
  const [from, setFrom] = useState(0);
  useEffect(() => setFrom(Math.floor(first / PAGE) * PAGE), [first]);
  const page = shown.slice(from, from + PAGE);
  const select = (position: number): void => {
    const next = query();
    next.set('event', String(position));
    setQuery(next, { replace: true });
  };
  if (error !== undefined && events.length === 0) return <ProblemCard error={error} />;
  return (
    <section aria-label="History">
      <div class="actions">
        <label>
          Kind{' '}
          <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
            <option value="">all</option>
            {kinds.map((each) => (
              <option value={each}>{eventName(each)}</option>
            ))}
          </select>
        </label>
        <label>
          Find{' '}
          <input
            type="search"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <label>
          <input
            type="checkbox"
            checked={hidesTurns}
            onChange={(event) => setHidesTurns(event.currentTarget.checked)}
          />{' '}
          hide turn markers
        </label>
        <a href={instanceApi(hub, id, 'history.json')} download>
          Export as JSON
        </a>
        <a href={instanceApi(hub, id, 'history.jsonl')} download>
          JSON lines
        </a>
        <span class="meta">
          {shown.length} of {events.length} events{isAll ? '' : ' so far'}
        </span>
      </div>
      {isAll && events.length === 0 && <Empty>No event is committed yet.</Empty>}
      {page.length > 0 && (
        <Scroll label="History events">
          <table>
            <caption class="hidden-text">History events</caption>
            <thead>
              <tr>
                {[
                  '#',
                  'Time',
                  'Since start',
                  'Event',
                  'Id',
                  'Name or target',
                  'Details',
                  'Pair',
                ].map((head) => (
                  <th scope="col">{head}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {page.map((event) => (
                <EventRow
                  key={event.ref}
                  {...{ hub, id, event, startAt }}
                  isChosen={event.position === chosen}
                  partner={pairs.get(event.position)}
                  isPartner={pairs.get(event.position) === chosen}
                  onSelect={select}
                />
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <EventPager {...{ from, setFrom }} count={shown.length} />
    </section>
  );
}

interface EventPagerProps {
  readonly from: number;
  readonly count: number;
  readonly setFrom: (from: number) => void;
}

function EventPager({ from, count, setFrom }: EventPagerProps): JSX.Element | null {
  if (count <= PAGE) return null;
  return (
    <nav class="row" aria-label="Pages of events">
      <button type="button" disabled={from === 0} onClick={() => setFrom(from - PAGE)}>
        ‹ Earlier
      </button>
      <button type="button" disabled={from + PAGE >= count} onClick={() => setFrom(from + PAGE)}>
        Later ›
      </button>
      <span class="meta">
        {from + 1}–{Math.min(from + PAGE, count)}
      </span>
    </nav>
  );
}

interface EventRowProps {
  readonly hub: string;
  readonly id: string;
  readonly event: EventJson;
  readonly startAt: number;
  readonly isChosen: boolean;
  readonly isPartner: boolean;
  readonly partner: number | undefined;
  readonly onSelect: (position: number) => void;
}

function EventRow(props: EventRowProps): JSX.Element {
  const { hub, id, event, startAt, isChosen, isPartner, partner, onSelect } = props;
  const row = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (isChosen) row.current?.scrollIntoView({ block: 'center' });
  }, [isChosen]);
  const at = event.at === undefined ? undefined : Date.parse(event.at);
  return (
    <tr ref={row} class={isChosen || isPartner ? 'selected' : ''}>
      <td class="num">
        <button type="button" class="link" onClick={() => onSelect(event.position)}>
          {event.position}
        </button>
      </td>
      <td class="num" title={event.at}>
        {at === undefined ? '' : clockTime(at, timeZoneMode.value === 'utc')}
      </td>
      <td class="num">{at === undefined ? '' : `+${duration(at - startAt)}`}</td>
      <td>{eventName(event.kind)}</td>
      <td class="num">{event.eventId < 0 ? '–' : event.eventId}</td>
      <td>
        {event.name !== undefined && <Visible text={event.name} />}{' '}
        {event.target !== undefined && <TargetLink {...{ hub, event }} />}
      </td>
      <td class="wide">
        <EventDetails {...{ hub, id, event }} />
      </td>
      <td class="num">
        {partner !== undefined && (
          <button type="button" class="link" onClick={() => onSelect(partner)}>
            {partner < event.position ? '←' : '→'} {partner}
          </button>
        )}
      </td>
    </tr>
  );
}

function TargetLink({ hub, event }: { readonly hub: string; readonly event: EventJson }) {
  const { target = '' } = event;
  if (target.startsWith('@')) return <Visible text={target} />;
  return (
    <a href={instanceHref(hub, target)}>
      <Visible text={target} />
    </a>
  );
}

function EventDetails({
  hub,
  id,
  event,
}: {
  readonly hub: string;
  readonly id: string;
  readonly event: EventJson;
}): JSX.Element {
  const { status, fireAt, lockSet, reason, failure, payloads = {} } = event;
  return (
    <>
      {status !== undefined && <span>{status} </span>}
      {fireAt !== undefined && <span>due {fireAt} </span>}
      {lockSet && <Visible text={lockSet.join(', ')} />}
      {reason !== undefined && <Visible text={reason} />}
      {failure && <FailureTree failure={failure} />}
      {Object.entries(payloads).map(([field, summary]) => (
        <Payload
          key={field}
          label={`${field} ${bytes(summary.bytes)}`}
          path={instanceApi(hub, id, `history/${event.ref}/payload/${field}`)}
        />
      ))}
    </>
  );
}
