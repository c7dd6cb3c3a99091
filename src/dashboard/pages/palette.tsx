/** The box at the top: an id, a link, a name or a page, and the way there. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { NamesJson, RowPageJson } from '../../server/http/api/contract.ts';
import type { EntityPageJson } from '../../server/http/api/entity-contract.ts';
import { get } from '../api.ts';
import { savedViews } from '../habits.ts';
import {
  apiPath,
  entityHref,
  hrefOf,
  hubHref,
  instanceApi,
  instanceHref,
  parseAddress,
} from '../model/routes.ts';
import { BUILT_IN_VIEWS } from '../model/views.ts';
import { navigate } from '../navigation.ts';
import { toast, Visible } from '../parts/basics.tsx';

/** Somewhere to go. */
interface Place {
  readonly kind: string;
  readonly text: string;
  readonly href: string;
}

const TYPING_MS = 200;
const IDS_MAX = 20;
const OTHERS_MAX = 8;

export interface PaletteProps {
  readonly hub: string | undefined;
  readonly hubs: readonly string[];
}

export function Palette({ hub, hubs }: PaletteProps): JSX.Element {
  const [text, setText] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [chosen, setChosen] = useState<number>();
  const asked = text.trim();
  const stored = useStored(hub, isOpen ? asked : '');
  const places = asked === '' ? [] : [...knownPlaces(asked, { hub, hubs }), ...stored.places];
  useEffect(() => setChosen(undefined), [text]);
  useEffect(openByKey, []);
  const leave = (href?: string): void => {
    setOpen(false);
    setText('');
    if (href !== undefined) navigate(href);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && places.length > 0) {
      event.preventDefault();
      const from = chosen ?? (step > 0 ? -1 : 0);
      setChosen((from + step + places.length) % places.length);
    } else if (event.key === 'Escape' && isOpen) {
      event.preventDefault();
      leave();
    }
  };
  const submit = (event: Event): void => {
    event.preventDefault();
    const place = chosen === undefined ? undefined : places[chosen];
    if (place) leave(place.href);
    else if (asked !== '') openAsked(asked, hub, leave);
  };
  const isShown = isOpen && asked !== '';
  return (
    <form class="find" role="search" aria-label="Open" onSubmit={submit}>
      <label>
        <span class="hidden-text">Open an instance by id or link, or a page by name</span>
        <input
          id="find"
          type="text"
          role="combobox"
          autocomplete="off"
          aria-expanded={isShown}
          aria-controls="places"
          aria-autocomplete="list"
          aria-activedescendant={chosen === undefined ? undefined : `place-${chosen}`}
          value={text}
          placeholder="Ctrl K  id, name, page or link"
          onFocus={() => setOpen(true)}
          onBlur={() => setOpen(false)}
          onKeyDown={onKeyDown}
          onInput={(event) => {
            setOpen(true);
            setText(event.currentTarget.value);
          }}
        />
      </label>
      <div class="card places" hidden={!isShown}>
        <ul id="places" role="listbox" aria-label="Places" hidden={places.length === 0}>
          {places.map(({ kind, text: name, href }, index) => (
            <li
              key={`${kind} ${href}`}
              id={`place-${index}`}
              role="option"
              aria-selected={index === chosen}
              // The box would lose the focus, and the list with it, before the click.
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => leave(href)}
            >
              <span class="meta">{kind}</span> <Visible text={name} />
            </li>
          ))}
        </ul>
        <p class="meta" role="status">
          {stored.problem ?? (stored.isLoading ? 'Looking…' : hint(places.length, hub))}
        </p>
      </div>
    </form>
  );
}

function hint(count: number, hub: string | undefined): string {
  if (hub === undefined) return 'Choose a task hub to look for ids and names.';
  return count === 0 ? 'Nothing begins so. Enter looks further.' : 'Enter opens the id as typed.';
}

function openByKey(): () => void {
  const onKey = (event: KeyboardEvent): void => {
    if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    document.getElementById('find')?.focus();
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}

/** An id, or a link to any dashboard, opens the instance; anything else is looked for as the beginning of an id. */
function openAsked(asked: string, hub: string | undefined, leave: (href?: string) => void): void {
  const link = /^https?:/.test(asked) ? URL.parse(asked) : null;
  if (link) {
    const { route, search } = parseAddress(link.pathname, link.search);
    leave(hrefOf(route) + search);
    return;
  }
  if (hub === undefined) {
    toast('Choose a task hub first.');
    return;
  }
  leave();
  get(instanceApi(hub, asked)).then(
    () => navigate(instanceHref(hub, asked)),
    () => navigate(`${hubHref(hub)}?id=${encodeURIComponent(`${asked}*`)}&children=show`),
  );
}

/** Pages, hubs and views: what can be named without asking. */
function knownPlaces(asked: string, { hub, hubs }: PaletteProps): readonly Place[] {
  const page = (text: string, href: string): Place => ({ kind: 'Page', text, href });
  const ofHub = (name: string): readonly Place[] => [
    page('Orchestrations', hubHref(name)),
    page('Start orchestration', `${hubHref(name)}?new=`),
    page('Entities', hubHref(name, 'entities')),
    page('Workers', hubHref(name, 'workers')),
    page('Metrics', hubHref(name, 'workers/metrics')),
    page('Parked items', hubHref(name, 'workers/poisoned')),
    page('Bulk jobs', hubHref(name, 'bulk')),
    ...[...BUILT_IN_VIEWS, ...savedViews(name)].map((view) => ({
      kind: 'View',
      text: view.name,
      href: view.query === '' ? hubHref(name) : `${hubHref(name)}?${view.query}`,
    })),
  ];
  const all = [
    ...(hub === undefined ? [] : ofHub(hub)),
    page('Task hubs', '/taskhubs'),
    page('Retention', '/retention'),
    page('Settings', '/settings'),
    ...hubs.map((name) => ({ kind: 'Task hub', text: name, href: hubHref(name) })),
  ];
  const wanted = asked.toLowerCase();
  return all.filter(({ text }) => text.toLowerCase().includes(wanted)).slice(0, OTHERS_MAX);
}

interface Stored {
  readonly places: readonly Place[];
  readonly isLoading: boolean;
  readonly problem: string | undefined;
}

const NOTHING: Stored = { places: [], isLoading: false, problem: undefined };

/** Names, ids and entities that begin like this, a moment after the last key. */
function useStored(hub: string | undefined, asked: string): Stored {
  const [found, setFound] = useState(NOTHING);
  useEffect(() => {
    setFound({ ...NOTHING, isLoading: hub !== undefined && asked !== '' });
    if (hub === undefined || asked === '') return undefined;
    const controller = new AbortController();
    const timer = setTimeout(() => {
      look(hub, asked, controller.signal).then(
        (places) => setFound({ ...NOTHING, places }),
        (error: unknown) => {
          if (!controller.signal.aborted) setFound({ ...NOTHING, problem: String(error) });
        },
      );
    }, TYPING_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [hub, asked]);
  return found;
}

async function look(hub: string, asked: string, signal: AbortSignal): Promise<readonly Place[]> {
  const begins = encodeURIComponent(asked);
  const [names, rows, entities] = await Promise.all([
    get<NamesJson>(apiPath(hub, 'names'), signal),
    get<RowPageJson>(
      apiPath(hub, `orchestrations?id=${begins}*&children=show&size=${IDS_MAX}`),
      signal,
    ),
    asked.startsWith('@')
      ? get<EntityPageJson>(apiPath(hub, `entities?prefix=${begins}&size=${OTHERS_MAX}`), signal)
      : { items: [] },
  ]);
  const wanted = asked.toLowerCase();
  return [
    ...rows.items.map(({ id, name }) => ({
      ...{ kind: name, text: id, href: instanceHref(hub, id) },
    })),
    ...entities.items.map(({ id }) => ({ kind: 'Entity', text: id, href: entityHref(hub, id) })),
    ...names.items
      .filter(({ kind, name }) => kind === 'orchestration' && name.toLowerCase().includes(wanted))
      .slice(0, OTHERS_MAX)
      .map(({ name }) => ({
        ...{ kind: 'Name', text: name },
        href: `${hubHref(hub)}?name=${encodeURIComponent(name)}`,
      })),
  ];
}
