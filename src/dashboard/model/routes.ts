/** Addresses: which page each one names, and the one way to write each of them. No other file builds or reads paths. */

export const INSTANCE_TABS = ['timeline', 'history', 'flow', 'data', 'waiting'] as const;
export type InstanceTab = (typeof INSTANCE_TABS)[number];
export const WORKER_TABS = ['connected', 'metrics', 'poisoned'] as const;
export type WorkerTab = (typeof WORKER_TABS)[number];

export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'hubs' }
  | { readonly page: 'orchestrations'; readonly hub: string }
  | {
      readonly page: 'instance';
      readonly hub: string;
      readonly id: string;
      readonly tab: InstanceTab;
    }
  | { readonly page: 'entities'; readonly hub: string; readonly id: string | undefined }
  | { readonly page: 'workers'; readonly hub: string; readonly tab: WorkerTab }
  | { readonly page: 'bulk'; readonly hub: string; readonly job: string | undefined }
  | { readonly page: 'absent'; readonly hub: string; readonly feature: string }
  | { readonly page: 'retention' }
  | { readonly page: 'settings' }
  | { readonly page: 'unknown'; readonly path: string };

export interface Address {
  readonly route: Route;
  /** Query parameters of the page itself. */
  readonly search: string;
  /** The scheduler that the link was made for, when it says so. */
  readonly endpoint: string | undefined;
}

/** Ids that browsers, proxies or our own `~` would change on their way as a path segment. */
function isUnsafe(id: string): boolean {
  return id === '' || id === '.' || id === '..' || id === '~' || /[/\\%]/.test(id);
}

export function hubHref(hub: string, rest = 'orchestrations'): string {
  return `/taskhubs/${encodeURIComponent(hub)}/${rest}`;
}

export function instanceHref(hub: string, id: string, tab: InstanceTab = 'timeline'): string {
  const tail = tab === 'timeline' ? '' : `/${tab}`;
  return isUnsafe(id)
    ? `${hubHref(hub)}/~${tail}?id=${encodeId(id)}`
    : `${hubHref(hub)}/${encodeId(id)}${tail}`;
}

export function entityHref(hub: string, id: string): string {
  return isUnsafe(id)
    ? `${hubHref(hub, 'entities')}/~?id=${encodeId(id)}`
    : `${hubHref(hub, 'entities')}/${encodeId(id)}`;
}

/** The same for the JSON API. */
export function apiPath(hub: string, rest: string): string {
  return `/api/v1/hubs/${encodeURIComponent(hub)}/${rest}`;
}

export function instanceApi(hub: string, id: string, rest = '', query = ''): string {
  return itemApi(hub, 'orchestrations', { id, rest, query });
}

export function entityApi(hub: string, id: string, rest = ''): string {
  return itemApi(hub, 'entities', { id, rest, query: '' });
}

interface ItemPath {
  readonly id: string;
  readonly rest: string;
  readonly query: string;
}

function itemApi(hub: string, list: string, { id, rest, query }: ItemPath): string {
  const tail = rest === '' ? '' : `/${rest}`;
  const path = isUnsafe(id) ? `~${tail}?id=${encodeId(id)}` : `${encodeId(id)}${tail}`;
  const joint = path.includes('?') ? '&' : '?';
  return apiPath(hub, `${list}/${path}${query === '' ? '' : joint + query}`);
}

/** Half of a surrogate pair cannot be written in an address. */
function encodeId(id: string): string {
  return encodeURIComponent(id.toWellFormed());
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // Not encoded by us: taken as it is written.
  }
}

/** Every form that a link to this dashboard, or to the product's, may have. */
export function parseAddress(pathname: string, search: string): Address {
  const query = new URLSearchParams(search);
  const endpoint = query.get('endpoint') ?? undefined;
  const taskHub = query.get('taskhub');
  for (const name of ['endpoint', 'taskhub', 'tenantId']) query.delete(name);
  const segments = pathname.split('/').filter((segment) => segment !== '');
  const isLong = segments[0] === 'subscriptions' && segments[2] === 'schedulers';
  const own = (isLong ? segments.slice(4) : segments).map(decode);
  const asked = own.length === 0 && taskHub !== null ? ['taskhubs', taskHub] : own;
  const route = routeOf(asked, query, pathname);
  const rest = query.toString();
  return { route, endpoint, search: rest === '' ? '' : `?${rest}` };
}

function routeOf(segments: readonly string[], query: URLSearchParams, path: string): Route {
  const [head, hub, kind, ...tail] = segments;
  if (head === undefined) return { page: 'home' };
  if (head === 'retention' || head === 'settings') return { page: head };
  if (head !== 'taskhubs') return { page: 'unknown', path };
  if (hub === undefined) return { page: 'hubs' };
  return hubRoute(hub, kind ?? 'orchestrations', { tail, query, path });
}

interface HubRouteOptions {
  readonly tail: readonly string[];
  readonly query: URLSearchParams;
  readonly path: string;
}

function hubRoute(hub: string, kind: string, { tail, query, path }: HubRouteOptions): Route {
  const [first, second] = tail;
  switch (kind) {
    case 'orchestrations': {
      if (first === undefined) return { page: 'orchestrations', hub };
      const tab = INSTANCE_TABS.find((each) => each === second) ?? 'timeline';
      return { page: 'instance', hub, id: takeId(first, query), tab };
    }
    case 'entities':
      return { page: 'entities', hub, id: first === undefined ? first : takeId(first, query) };
    case 'workers':
      return { page: 'workers', hub, tab: WORKER_TABS.find((tab) => tab === first) ?? 'connected' };
    case 'bulk':
      return { page: 'bulk', hub, job: first };
    case 'agents':
    case 'sandboxes':
    case 'schedules':
      return { page: 'absent', hub, feature: kind };
    default:
      return { page: 'unknown', path };
  }
}

function takeId(segment: string, query: URLSearchParams): string {
  const named = query.get('id');
  if (segment !== '~' || named === null) return segment;
  query.delete('id');
  return named;
}

/** The one way to write a route. */
export function hrefOf(route: Route): string {
  switch (route.page) {
    case 'home':
      return '/';
    case 'hubs':
      return '/taskhubs';
    case 'orchestrations':
      return hubHref(route.hub);
    case 'instance':
      return instanceHref(route.hub, route.id, route.tab);
    case 'entities':
      return route.id === undefined
        ? hubHref(route.hub, 'entities')
        : entityHref(route.hub, route.id);
    case 'workers':
      return hubHref(route.hub, route.tab === 'connected' ? 'workers' : `workers/${route.tab}`);
    case 'bulk':
      return hubHref(route.hub, route.job === undefined ? 'bulk' : `bulk/${route.job}`);
    case 'absent':
      return hubHref(route.hub, route.feature);
    case 'retention':
    case 'settings':
      return `/${route.page}`;
    case 'unknown':
      return route.path;
  }
}
