/** Lists with a name, of the product and of this person. */
import type { JSX, TargetedEvent } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { savedViews, saveViews } from '../habits.ts';
import { hubHref } from '../model/routes.ts';
import { BUILT_IN_VIEWS, readViews, withViews, writeViews, type View } from '../model/views.ts';
import { query } from '../navigation.ts';
import { toast } from '../parts/basics.tsx';
import { giveFile } from '../parts/download.ts';

/** What belongs to one look at the list, not to the list. */
const PASSING = ['new', 'cursor'];

function currentQuery(): string {
  const params = query();
  for (const name of PASSING) params.delete(name);
  return params.toString();
}

export function Views({ hub }: { readonly hub: string }): JSX.Element {
  const [own, setOwn] = useState(() => savedViews(hub));
  const menu = useRef<HTMLDetailsElement>(null);
  const close = (): void => {
    menu.current?.removeAttribute('open');
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || !menu.current?.open) return;
      close();
      menu.current.querySelector('summary')?.focus();
    };
    const onPress = ({ target }: PointerEvent): void => {
      if (target instanceof Node && menu.current?.contains(target) === false) close();
    };
    addEventListener('keydown', onKey);
    addEventListener('pointerdown', onPress);
    return () => {
      removeEventListener('keydown', onKey);
      removeEventListener('pointerdown', onPress);
    };
  }, []);
  const keep = (views: readonly View[]): void => {
    saveViews(hub, views);
    setOwn(views);
  };
  return (
    <details class="menu" ref={menu}>
      <summary class="button">Views</summary>
      <div class="card menu-body">
        <ul aria-label="Views of every hub">
          {BUILT_IN_VIEWS.map((view) => (
            <li key={view.name}>
              <ViewLink {...{ hub, view, close }} />
            </li>
          ))}
        </ul>
        {own.length > 0 && (
          <ul aria-label="Your views">
            {own.map((view) => (
              <li class="row" key={view.name}>
                <ViewLink {...{ hub, view, close }} />
                <button
                  type="button"
                  class="icon-button push"
                  aria-label={`Delete view ${view.name}`}
                  onClick={() => keep(own.filter(({ name }) => name !== view.name))}
                >
                  ✕
                </button>
              </li>
            ))}
          </ul>
        )}
        <SaveView onSave={(view) => keep(withViews(own, [view]))} />
        <div class="row">
          <button
            type="button"
            disabled={own.length === 0}
            onClick={() => {
              const body = new Blob([writeViews(own)], { type: 'application/json' });
              giveFile(body, `views-${hub}.json`);
            }}
          >
            Export
          </button>
          <ImportViews onRead={(views) => keep(withViews(own, views))} />
        </div>
      </div>
    </details>
  );
}

interface ViewLinkProps {
  readonly hub: string;
  readonly view: View;
  readonly close: () => void;
}

function ViewLink({ hub, view, close }: ViewLinkProps): JSX.Element {
  const href = view.query === '' ? hubHref(hub) : `${hubHref(hub)}?${view.query}`;
  const isCurrent = currentQuery() === new URLSearchParams(view.query).toString();
  return (
    <a href={href} aria-current={isCurrent ? 'true' : undefined} onClick={close}>
      {view.name}
    </a>
  );
}

/** In this browser, of this hub. */
function SaveView({ onSave }: { readonly onSave: (view: View) => void }): JSX.Element {
  const [name, setName] = useState('');
  const submit = (event: Event): void => {
    event.preventDefault();
    onSave({ name: name.trim(), query: currentQuery() });
    toast(`Saved “${name.trim()}” in this browser`);
    setName('');
  };
  return (
    <form class="row" onSubmit={submit}>
      <input
        aria-label="Name of the view"
        placeholder="Name what you see"
        maxLength={60}
        value={name}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <button type="submit" disabled={name.trim() === ''}>
        Save view
      </button>
    </form>
  );
}

function ImportViews({ onRead }: { readonly onRead: (views: readonly View[]) => void }) {
  const read = async ({ currentTarget }: TargetedEvent<HTMLInputElement>): Promise<void> => {
    const [file] = currentTarget.files ?? [];
    currentTarget.value = '';
    if (!file) return;
    try {
      const views = readViews(await file.text());
      onRead(views);
      toast(`${views.length} views read from ${file.name}`);
    } catch (error) {
      toast(`${file.name}: ${(error as Error).message}`);
    }
  };
  return (
    <label class="button file-button">
      Import
      <input type="file" accept=".json,application/json" onChange={(event) => void read(event)} />
    </label>
  );
}
