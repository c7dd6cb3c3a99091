/** The frame around every page: which hub, which page, whether the scheduler is there. */
import { render, type JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { HubsJson } from '../server/http/api/contract.ts';
import icon from './icon.svg';
import { connection, heardAt, reconnect, serverNow, summary } from './live.ts';
import { bringHome, RETURN_PATH } from './authorize.ts';
import { theme, type Theme } from './habits.ts';
import { duration, shortTime } from './model/format.ts';
import { mayOnlyLook, me, session } from './session.ts';
import { hubHref, hrefOf } from './model/routes.ts';
import { address, canonicalise, navigate } from './navigation.ts';
import { Empty, Title, Toasts, useNow } from './parts/basics.tsx';
import { downloadWithToken } from './parts/download.ts';
import { lazily } from './parts/lazy.tsx';
import { useData } from './parts/use-data.ts';
import { Hubs } from './pages/hubs.tsx';
import { Orchestrations } from './pages/orchestrations.tsx';
import { Palette } from './pages/palette.tsx';

const Instance = lazily(() => import('./pages/instance.tsx').then((module) => module.Instance));
const Entities = lazily(() => import('./pages/entities.tsx').then((module) => module.Entities));
const Entity = lazily(() => import('./pages/entity.tsx').then((module) => module.Entity));
const Workers = lazily(() => import('./pages/workers.tsx').then((module) => module.Workers));
const Bulk = lazily(() => import('./pages/bulk.tsx').then((module) => module.Bulk));
const Retention = lazily(() => import('./pages/retention.tsx').then((module) => module.Retention));
const SignIn = lazily(() => import('./pages/sign-in.tsx').then((module) => module.SignIn));
const Settings = lazily(() => import('./pages/settings.tsx').then((module) => module.Settings));

function hubOf(): string | undefined {
  const { route } = address.value;
  return 'hub' in route ? route.hub : undefined;
}

function App(): JSX.Element {
  const hubs = useData<HubsJson>('/api/v1/hubs');
  const { route } = address.value;
  const names = hubs.data?.items.map(({ name }) => name) ?? [];
  useEffect(canonicalise, [address.value]);
  useEffect(() => {
    const [only] = names;
    if (route.page !== 'home' || !hubs.data) return;
    const isOne = names.length === 1 && only !== undefined;
    navigate(isOne ? hubHref(only) : '/taskhubs', { replace: true });
  }, [hubs.data, route.page]);
  const hub = hubOf();
  useEffect(() => {
    // Another writing of the hub's name, when it can only be that one.
    if (hub === undefined || names.length === 0 || names.includes(hub)) return;
    const alike = names.filter((name) => name.toLowerCase() === hub.toLowerCase());
    const [only] = alike;
    if (alike.length !== 1 || only === undefined) return;
    const { route: here, search } = address.value;
    navigate(hrefOf({ ...here, hub: only } as typeof here) + search, { replace: true });
  }, [hubs.data, hub]);
  const isUnknown = hub !== undefined && names.length > 0 && !names.includes(hub);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <Top {...{ hub, names }} />
      <div class="layout">
        <Rail hub={hub ?? names[0]} />
        <main id="main">
          <ConnectionBanner />
          {mayOnlyLook(hub) && <LookOnly hub={hub} />}
          <Elsewhere endpoint={address.value.endpoint} own={hubs.data?.grpcEndpoint} />
          {isUnknown ? <UnknownHub {...{ hub, names }} /> : <Page />}
        </main>
        <Foot />
      </div>
      {(session.value === 'needed' || session.value === 'ended') && <SignIn />}
      <Toasts />
    </>
  );
}

function Page(): JSX.Element {
  const { route } = address.value;
  switch (route.page) {
    case 'home':
      return <p class="muted">…</p>;
    case 'hubs':
      return <Hubs />;
    case 'orchestrations':
      return <Orchestrations key={route.hub} hub={route.hub} />;
    case 'instance':
      return <Instance key={`${route.hub} ${route.id}`} {...route} />;
    case 'workers':
      return <Workers {...route} />;
    case 'bulk':
      return <Bulk {...route} />;
    case 'retention':
      return <Retention />;
    case 'settings':
      return <Settings />;
    case 'entities':
      return route.id === undefined ? (
        <Entities key={route.hub} hub={route.hub} />
      ) : (
        <Entity key={`${route.hub} ${route.id}`} hub={route.hub} id={route.id} />
      );
    case 'absent':
      return <Absent feature={route.feature} />;
    case 'unknown':
      return (
        <>
          <Title>Nothing here</Title>
          <Empty>
            “{route.path}” names no page. <a href="/taskhubs">Task hubs</a>
          </Empty>
        </>
      );
  }
}

function Absent({ feature }: { readonly feature: string }): JSX.Element {
  return (
    <>
      <Title>{feature}</Title>
      <Empty>This scheduler has no page for {feature}. The menu shows what there is.</Empty>
    </>
  );
}

/** Why the buttons are grey. */
function LookOnly({ hub }: { readonly hub: string | undefined }): JSX.Element {
  return (
    <div class="banner plain" role="note">
      You may look at task hub “{hub}” and not change it: that takes the role Durable Task Data
      Contributor.
    </div>
  );
}

/** Who is signed in. */
function Person(): JSX.Element | null {
  const caller = me.value?.caller;
  if (!caller || session.value !== 'in') return null;
  return (
    <span class="row person">
      <bdi title={caller.principal}>{caller.name}</bdi>
      <button type="button" onClick={() => location.assign('/')}>
        Sign out
      </button>
    </span>
  );
}

function UnknownHub({ hub, names }: { readonly hub: string; readonly names: readonly string[] }) {
  return (
    <>
      <Title>Unknown task hub</Title>
      <Empty>
        There is no hub “{hub}” on this scheduler. Hubs you can see:{' '}
        {names.map((name) => (
          <>
            <a href={hubHref(name)}>{name}</a>{' '}
          </>
        ))}
      </Empty>
    </>
  );
}

function Elsewhere({ endpoint, own }: { endpoint: string | undefined; own: string | undefined }) {
  if (endpoint === undefined || own === undefined) return null;
  const [theirs, ours] = [URL.parse(endpoint), URL.parse(own)];
  const isLocal = (url: URL | null): boolean =>
    url !== null && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  const isOurs =
    theirs?.port === ours?.port &&
    (theirs?.hostname === ours?.hostname || (isLocal(theirs) && isLocal(ours)));
  if (isOurs) return null;
  return (
    <div class="banner warn">
      This link names {endpoint}. You are on {own}.
    </div>
  );
}

function ConnectionBanner(): JSX.Element | null {
  const { value } = connection;
  const now = useTick('sinceAt' in value);
  if (value.state === 'back') {
    return (
      <div class="banner good" role="status">
        Connected again. The page shows the state of now.
      </div>
    );
  }
  if (value.state !== 'lost' && value.state !== 'draining') return null;
  const lostFor = duration(now - value.sinceAt);
  return (
    <div class="banner warn" role="alert">
      <span>
        {value.state === 'draining'
          ? `The scheduler was shut down or restarts; ${lostFor} ago. `
          : `Connection to the scheduler lost ${lostFor} ago. `}
        {heardAt.value > 0 && `You see the state of ${shortTime(heardAt.value, false)}. `}
        Next try in {duration(Math.max(0, value.nextAt - now))}.
      </span>
      <button type="button" onClick={reconnect}>
        Try now
      </button>
    </div>
  );
}

/** This computer's own clock, once a second while it is looked at. */
function useTick(isOn: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!isOn) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isOn]);
  return now;
}

function Top({
  hub,
  names,
}: {
  readonly hub: string | undefined;
  readonly names: readonly string[];
}) {
  const switchHub = (next: string): void => {
    const { route } = address.value;
    const keeps = route.page === 'workers' || route.page === 'bulk' || route.page === 'entities';
    navigate(hubHref(next, keeps ? route.page : 'orchestrations'));
  };
  const themes: readonly Theme[] = ['system', 'light', 'dark'];
  const nextTheme = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? 'system';
  return (
    <header class="top">
      <a class="brand" href="/taskhubs">
        <img src={icon} alt="" width="18" height="18" /> durabletask
      </a>
      <label>
        <span class="hidden-text">Task hub</span>
        <select value={hub ?? ''} onChange={(event) => switchHub(event.currentTarget.value)}>
          {hub === undefined && <option value="">choose a hub</option>}
          {hub !== undefined && !names.includes(hub) && <option value={hub}>{hub}</option>}
          {names.map((name) => (
            <option value={name}>{name}</option>
          ))}
        </select>
      </label>
      <Palette hub={hub} hubs={names} />
      <button
        type="button"
        onClick={() => (theme.value = nextTheme)}
        aria-label={`Theme: ${theme.value}; change to ${nextTheme}`}
        title={`Theme: ${theme.value}`}
      >
        ◐
      </button>
      <Person />
    </header>
  );
}

function Rail({ hub }: { readonly hub: string | undefined }): JSX.Element {
  const { route } = address.value;
  const { value } = summary;
  const hasUnclaimed = (value?.backlog ?? []).some(({ isClaimed }) => !isClaimed);
  const links: readonly (readonly [string, string, string])[] =
    hub === undefined
      ? []
      : [
          ['orchestrations', 'Orchestrations', ''],
          ['entities', 'Entities', ''],
          ['workers', 'Workers', `${value?.workers ?? ''}${hasUnclaimed ? ' ▲' : ''}`],
          ['bulk', 'Bulk jobs', ''],
        ];
  const isCurrent = (page: string): 'page' | undefined =>
    route.page === page || (page === 'orchestrations' && route.page === 'instance')
      ? 'page'
      : undefined;
  return (
    <nav class="rail" aria-label="Main" ref={showCurrent}>
      <ul>
        <li>
          <a href="/taskhubs" aria-current={isCurrent('hubs')}>
            Task hubs
          </a>
        </li>
        {links.map(([page, text, extra]) => (
          <li>
            <a href={hubHref(hub ?? '', page)} aria-current={isCurrent(page)}>
              {text} <span class="num">{extra}</span>
            </a>
          </li>
        ))}
        <li class="apart">
          <a href="/retention" aria-current={isCurrent('retention')}>
            Retention
          </a>
        </li>
        <li>
          <a href="/settings" aria-current={isCurrent('settings')}>
            Settings
          </a>
        </li>
      </ul>
    </nav>
  );
}

/** On a phone the menu is wider than the screen. */
function showCurrent(rail: HTMLElement | null): void {
  const current = rail?.querySelector('[aria-current]');
  current?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

function Foot(): JSX.Element {
  useNow();
  const { state } = connection.value;
  const ahead = Math.round((serverNow() - Date.now()) / 1000);
  return (
    <footer class="foot">
      {state === 'live' || state === 'back'
        ? '● live'
        : state === 'off'
          ? '○ not live'
          : `○ ${state}`}
      {heardAt.value > 0 && ` · ${shortTime(heardAt.value, false)}`}
      {Math.abs(ahead) > 2 && ` · your clock is ${ahead} s off; times are the scheduler’s`}
    </footer>
  );
}

const root = document.getElementById('app');
if (location.pathname === RETURN_PATH && location.search !== '') {
  bringHome(location.search);
  if (root) render(<p class="card">You can close this window.</p>, root);
} else if (root) {
  downloadWithToken();
  render(<App />, root);
}
