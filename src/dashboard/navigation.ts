/** Where the tab is: the address bar is the truth, links and forms change it without a load. */
import { computed, signal } from '@preact/signals';
import { hrefOf, parseAddress } from './model/routes.ts';

function current(): string {
  return location.pathname + location.search;
}

const place = signal(current());

export const address = computed(() => {
  const at = place.value.indexOf('?');
  return at < 0
    ? parseAddress(place.value, '')
    : parseAddress(place.value.slice(0, at), place.value.slice(at));
});

export function navigate(href: string, { replace = false } = {}): void {
  if (href === current()) return;
  if (replace) history.replaceState({}, '', href);
  else history.pushState({}, '', href);
  place.value = href;
}

/** Older and foreign forms of an address become ours, without another entry in the history. */
export function canonicalise(): void {
  const { route, search } = address.value;
  if (route.page === 'home' || route.page === 'unknown') return;
  const href = hrefOf(route);
  const joint = href.includes('?') ? search.replace('?', '&') : search;
  if (href + joint !== current()) navigate(href + joint, { replace: true });
}

/** Query parameters of the page, to read and to change. */
export function query(): URLSearchParams {
  return new URLSearchParams(address.value.search);
}

export function setQuery(next: URLSearchParams, { replace = false } = {}): void {
  const href = hrefOf(address.value.route);
  const text = next.toString();
  const joint = href.includes('?') ? '&' : '?';
  navigate(text === '' ? href : href + joint + text, { replace });
}

window.addEventListener('popstate', () => {
  place.value = current();
});

document.addEventListener('click', (event) => {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link || link.origin !== location.origin || link.target !== '' || link.hash !== '') return;
  if (link.pathname.startsWith('/api/') || link.hasAttribute('download')) return;
  event.preventDefault();
  navigate(link.pathname + link.search);
  document.querySelector<HTMLElement>('h1')?.focus();
});
