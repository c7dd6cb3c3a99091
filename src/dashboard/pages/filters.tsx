/** The filters of the list: one place that says what is on, each in the address. */
import type { JSX, TargetedEvent } from 'preact';
import { useState } from 'preact/hooks';
import type { NamesJson } from '../../server/http/api/contract.ts';
import { query, setQuery } from '../navigation.ts';
import { summary } from '../live.ts';
import { capped, dateTime } from '../model/format.ts';
import { timeZoneMode } from '../habits.ts';
import { Status } from '../parts/basics.tsx';
import { ExactTimes, TIME_FILTERS } from './exact-times.tsx';

const LABELS: Readonly<Record<string, string>> = {
  status: 'Status',
  id: 'Id',
  name: 'Name',
  version: 'Version',
  tag: 'Tag',
  ...TIME_FILTERS,
  parent: 'Children of',
  errorType: 'Error type',
  errorText: 'Error says',
};

const STATUSES = ['Running', 'Pending', 'Suspended', 'Completed', 'Failed', 'Terminated'] as const;

export const FILTER_NAMES = [...Object.keys(LABELS), 'children'];

/** Filters of which there is one at most: another value replaces the first. */
const SINGLE: ReadonlySet<string> = new Set(['parent', 'errorText', ...Object.keys(TIME_FILTERS)]);

/** The page's own query without what is not a filter. */
export function filterQuery(from: URLSearchParams = query()): URLSearchParams {
  return new URLSearchParams([...from].filter(([name]) => FILTER_NAMES.includes(name)));
}

function change(edit: (next: URLSearchParams) => void, options = {}): void {
  const next = query();
  edit(next);
  next.delete('cursor');
  setQuery(next, options);
}

export function addFilter(name: string, value: string): void {
  change((next) => {
    if (SINGLE.has(name)) next.set(name, value);
    else if (!next.getAll(name).includes(value)) next.append(name, value);
  });
}

function statusesOf(params: URLSearchParams): readonly string[] {
  return params.getAll('status').flatMap((value) => value.split(','));
}

export function StatusTiles(): JSX.Element {
  const counts = summary.value?.counts ?? {};
  const chosen = statusesOf(query());
  const toggle = (status: string): void => {
    change((next) => {
      const rest = chosen.includes(status)
        ? chosen.filter((each) => each !== status)
        : [...chosen, status];
      next.delete('status');
      if (rest.length > 0) next.set('status', rest.join(','));
    });
  };
  return (
    <div class="tiles" role="group" aria-label="Filter by status">
      <button
        type="button"
        class="tile"
        aria-pressed={chosen.length === 0}
        onClick={() => change((next) => next.delete('status'))}
      >
        All
      </button>
      {STATUSES.map((status) => {
        const count = counts[status];
        return (
          <button
            type="button"
            class="tile"
            key={status}
            aria-pressed={chosen.includes(status)}
            onClick={() => toggle(status)}
          >
            <Status word={status} /> <b>{count ? capped(count) : '–'}</b>
          </button>
        );
      })}
    </div>
  );
}

/** Times as people read them; a relative one as it is in the address. */
function chipText(name: string, value: string): string {
  const at = name in TIME_FILTERS && !value.startsWith('-') ? Date.parse(value) : NaN;
  return Number.isNaN(at) ? value : dateTime(at, timeZoneMode.value === 'utc');
}

function setOne(name: string, value: string): void {
  change((next) => {
    if (value === '') next.delete(name);
    else next.set(name, value);
  });
}

export function Chips(): JSX.Element | null {
  const entries = [...filterQuery()].filter(([name]) => name !== 'children');
  if (entries.length === 0) return null;
  const drop = (name: string, value: string): void => {
    change((next) => {
      const rest = next.getAll(name).filter((each) => each !== value);
      next.delete(name);
      for (const each of rest) next.append(name, each);
    });
  };
  const clear = (): void => {
    change((next) => {
      for (const name of FILTER_NAMES) next.delete(name);
    });
  };
  return (
    <div class="chips" role="group" aria-label="Filters that are on">
      {entries.map(([name, value]) => (
        <button
          type="button"
          class="chip"
          key={name + value}
          title="Remove this filter"
          onClick={() => drop(name, value)}
        >
          <span aria-hidden="true">⨯</span> {LABELS[name]}: <bdi>{chipText(name, value)}</bdi>
        </button>
      ))}
      <button type="button" class="link" onClick={clear}>
        Clear filters
      </button>
    </div>
  );
}

const KINDS: readonly (readonly [string, string, string])[] = [
  ['id', 'Id begins with', 'order-'],
  ['name', 'Name', 'OrderFlow'],
  ['tag', 'Tag', 'env=prod'],
  ['version', 'Version', '1.4.0'],
  ['parent', 'Children of', 'order-1'],
  ['errorType', 'Error type', 'TimeoutError'],
  ['errorText', 'Error says', 'declined'],
];

const RANGES: readonly (readonly [string, string])[] = [
  ['', 'any time'],
  ['-15m', 'last 15 min'],
  ['-1h', 'last hour'],
  ['-24h', 'last 24 hours'],
  ['-7d', 'last 7 days'],
  ['-30d', 'last 30 days'],
];

/** Typing never guesses: what is searched stands before the text. */
export function FilterForm({ names }: { readonly names: NamesJson | undefined }): JSX.Element {
  const [kind, setKind] = useState('id');
  const [text, setText] = useState('');
  const params = query();
  const submit = (event: Event): void => {
    event.preventDefault();
    if (text === '') return;
    addFilter(kind, kind === 'id' && !text.endsWith('*') ? `${text}*` : text);
    setText('');
  };
  const known = (names?.items ?? []).filter((each) => each.kind === 'orchestration');
  return (
    <form class="row filter-form" onSubmit={submit} role="search" aria-label="Orchestrations">
      <label>
        <span class="hidden-text">Search in</span>
        <select value={kind} onChange={(event) => setKind(event.currentTarget.value)}>
          {KINDS.map(([value, label]) => (
            <option value={value}>{label}</option>
          ))}
        </select>
      </label>
      <label>
        <span class="hidden-text">Search for</span>
        <input
          id="filter-text"
          type="search"
          value={text}
          placeholder={KINDS.find(([value]) => value === kind)?.[2] ?? ''}
          list={kind === 'name' ? 'known-names' : undefined}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <datalist id="known-names">
        {known.map(({ name }) => (
          <option value={name} />
        ))}
      </datalist>
      <button type="submit">Filter</button>
      <Choice name="createdFrom" label="Created" values={RANGES} params={params} />
      <Choice name="completedFrom" label="Ended" values={RANGES} params={params} />
      <Choice
        name="children"
        label="Sub-orchestrations"
        values={[
          ['', 'folded away'],
          ['show', 'shown'],
          ['only', 'only'],
        ]}
        params={params}
      />
      <ExactTimes {...{ params }} set={setOne} />
    </form>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly label: string;
  readonly values: readonly (readonly [string, string])[];
  readonly params: URLSearchParams;
}

function Choice({ name, label, values, params }: ChoiceProps): JSX.Element {
  const value = params.get(name) ?? '';
  const isKnown = values.some(([each]) => each === value);
  const onChange = (event: TargetedEvent<HTMLSelectElement>): void => {
    setOne(name, event.currentTarget.value);
  };
  return (
    <label>
      {label}{' '}
      <select value={value} onChange={onChange}>
        {!isKnown && <option value={value}>{chipText(name, value)}</option>}
        {values.map(([each, text]) => (
          <option value={each}>{text}</option>
        ))}
      </select>
    </label>
  );
}
