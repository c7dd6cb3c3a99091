import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { RowJson, RowPageJson } from '../../server/http/api/contract.ts';
import { get } from '../api.ts';
import { duration } from '../model/format.ts';
import { instanceApi, instanceHref } from '../model/routes.ts';
import { navigate, query, setQuery } from '../navigation.ts';
import { Age, Copy, Status, useNow, Visible } from '../parts/basics.tsx';
import { addFilter } from './filters.tsx';

export interface RowTableProps {
  readonly hub: string;
  readonly rows: readonly RowJson[];
  readonly gone: ReadonlySet<string>;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (next: ReadonlySet<string>) => void;
}

export function RowTable({ hub, rows, gone, selected, onSelect }: RowTableProps): JSX.Element {
  const isAll = rows.length > 0 && rows.every(({ id }) => selected.has(id));
  const toggleAll = (): void => {
    onSelect(isAll ? new Set() : new Set([...selected, ...rows.map(({ id }) => id)]));
  };
  return (
    <div class="scroll-x rows cards-narrow" tabIndex={-1} onKeyDown={onRowKey}>
      <table>
        <caption class="hidden-text">Orchestrations</caption>
        <thead>
          <tr>
            <th scope="col">
              <input
                type="checkbox"
                aria-label="Select all on this page"
                checked={isAll}
                onChange={toggleAll}
              />
            </th>
            <SortHead by="id">Instance id</SortHead>
            <th scope="col">Status</th>
            <th scope="col">Name</th>
            <th scope="col">Tags</th>
            <SortHead by="created">Created</SortHead>
            <th scope="col">Duration</th>
            <th scope="col">Detail</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row
              key={row.id}
              {...{ hub, row, selected, onSelect }}
              depth={0}
              isGone={gone.has(row.id)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** j and k move between rows; arrows scroll, as everywhere. */
function onRowKey(event: KeyboardEvent): void {
  if (event.key !== 'j' && event.key !== 'k') return;
  const links = [...document.querySelectorAll<HTMLElement>('.rows a.id')];
  const at = links.findIndex((link) => link.closest('tr')?.contains(document.activeElement));
  links[at + (event.key === 'j' ? 1 : -1)]?.focus();
}

function SortHead({
  by,
  children,
}: {
  readonly by: string;
  readonly children: string;
}): JSX.Element {
  const sort = query().get('sort') ?? '-created';
  const isOn = sort.replace('-', '') === by;
  const isDescending = sort.startsWith('-');
  const order = isDescending ? 'descending' : 'ascending';
  const change = (): void => {
    const next = query();
    next.set('sort', isOn && isDescending ? by : isOn ? `-${by}` : by === 'id' ? by : `-${by}`);
    next.delete('cursor');
    setQuery(next);
  };
  return (
    <th scope="col" aria-sort={isOn ? order : 'none'}>
      <button type="button" onClick={change}>
        {children} <span aria-hidden="true">{isOn ? (isDescending ? '↓' : '↑') : '↕'}</span>
      </button>
    </th>
  );
}

interface RowProps {
  readonly hub: string;
  readonly row: RowJson;
  readonly depth: number;
  readonly isGone: boolean;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (next: ReadonlySet<string>) => void;
}

function Row(props: RowProps): JSX.Element {
  const { hub, row, depth, isGone, selected, onSelect } = props;
  const [children, setChildren] = useState<readonly RowJson[]>();
  const isSelected = selected.has(row.id);
  const toggle = (): void => {
    const next = new Set(selected);
    if (isSelected) next.delete(row.id);
    else next.add(row.id);
    onSelect(next);
  };
  const unfold = (): void => {
    if (children) return setChildren(undefined);
    get<RowPageJson>(instanceApi(hub, row.id, 'children')).then(
      ({ items }) => setChildren(items),
      () => navigate(instanceHref(hub, row.id)),
    );
  };
  const className = [isSelected ? 'selected' : '', isGone ? 'gone' : ''].join(' ').trim();
  return (
    <>
      <tr class={className}>
        <td>
          <input
            type="checkbox"
            aria-label={`Select ${row.id}`}
            checked={isSelected}
            onChange={toggle}
          />
        </td>
        <td>
          {depth > 0 && <span class="muted">{'└ '.padStart(depth * 2, ' ')}</span>}
          <a class="id" href={instanceHref(hub, row.id)} title={row.id}>
            <Visible text={row.id} />
          </a>
          <Copy text={row.id} what="instance id" />
          <button
            type="button"
            class="icon-button"
            aria-expanded={children !== undefined}
            aria-label={`Sub-orchestrations of ${row.id}`}
            title="Sub-orchestrations"
            onClick={unfold}
          >
            {children ? '▾' : '▸'}
          </button>
          {children?.length === 0 && <span class="meta">none</span>}
        </td>
        <td>
          <Status word={row.status} />
        </td>
        <td title={row.name}>
          <Visible text={row.displayName ?? row.name} />
          {row.version !== '' && <span class="meta"> {row.version}</span>}
        </td>
        <td>
          <Tags tags={row.tags} />
        </td>
        <td>
          <Age at={row.createdAt} />
        </td>
        <td class="num">
          <Lasted row={row} />
        </td>
        <td class="wide">
          <Detail row={row} />
        </td>
      </tr>
      {children?.map((child) => (
        <Row key={child.id} {...props} row={child} depth={depth + 1} isGone={false} />
      ))}
    </>
  );
}

export function Lasted({ row }: { readonly row: RowJson }): JSX.Element {
  const now = useNow();
  const end = row.completedAt === undefined ? now : Date.parse(row.completedAt);
  return <>{duration(end - Date.parse(row.createdAt))}</>;
}

function Detail({ row }: { readonly row: RowJson }): JSX.Element | null {
  if (row.failure) {
    return (
      <>
        <button
          type="button"
          class="tag"
          title="Filter by this error type"
          onClick={() => addFilter('errorType', row.failure?.type ?? '')}
        >
          <Visible text={row.failure.type} />
        </button>
        <span class="muted">
          <Visible text={row.failure.message} />
        </span>
      </>
    );
  }
  return row.customStatusPreview === undefined ? null : (
    <code>
      <Visible text={row.customStatusPreview} />
    </code>
  );
}

export function Tags({ tags }: { readonly tags: Readonly<Record<string, string>> }): JSX.Element {
  const shown = Object.entries(tags).filter(([key]) => !key.startsWith('durabletask.'));
  return (
    <>
      {shown.slice(0, 2).map(([key, value]) => (
        <button
          type="button"
          class="tag"
          key={key}
          title="Filter by this tag"
          onClick={() => addFilter('tag', `${key}=${value}`)}
        >
          <Visible text={`${key}=${value}`} />
        </button>
      ))}
      {shown.length > 2 && (
        <span class="meta" title={shown.map(([key, value]) => `${key}=${value}`).join('\n')}>
          +{shown.length - 2}
        </span>
      )}
    </>
  );
}
