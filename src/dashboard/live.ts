/** The one live connection of a tab: what the scheduler says changed, and whether it can be reached at all. */
import { signal } from '@preact/signals';
import type { RowJson, SummaryJson } from '../server/http/api/contract.ts';
import { get, openEvents, Problem } from './api.ts';
import { EventParser, type ServerEvent } from './model/event-stream.ts';
import { apiPath } from './model/routes.ts';

export type Connection =
  /** `off`: this person is not let in to what would be followed. */
  | { readonly state: 'connecting' | 'live' | 'back' | 'off' }
  | { readonly state: 'lost' | 'draining'; readonly sinceAt: number; readonly nextAt: number };

export const connection = signal<Connection>({ state: 'connecting' });
/** Of the hub that is shown. */
export const summary = signal<SummaryJson | undefined>(undefined);
/** Counts up when the pages must ask again: the connection was lost and is back. */
export const resync = signal(0);
/** Milliseconds that the scheduler's clock is ahead of this one. */
export const clockOffset = signal(0);
/** When the scheduler was last heard of, by its own clock. */
export const heardAt = signal(0);

/** Now, by the scheduler's clock. */
export function serverNow(): number {
  return Date.now() + clockOffset.value;
}

export interface InstancesChange {
  readonly changed: readonly RowJson[];
  readonly gone: readonly string[];
}

type Listener = (change: InstancesChange) => void;

const listeners = new Set<Listener>();
let hub = '';
let watched: readonly string[] = [];
let controller: AbortController | undefined;

/** Follows a hub and some of its instances; another call replaces what was followed. */
export function follow(nextHub: string, ids: readonly string[]): void {
  const isSame = nextHub === hub && ids.join('\n') === watched.join('\n');
  if (isSame && controller && !controller.signal.aborted) return;
  if (nextHub !== hub) summary.value = undefined;
  hub = nextHub;
  watched = ids;
  reconnect();
}

export function onInstances(listener: Listener): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

export function reconnect(): void {
  controller?.abort();
  controller = new AbortController();
  void keepConnected(controller.signal);
}

document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible' && controller?.signal.aborted) reconnect();
  if (document.visibilityState === 'hidden') {
    setTimeout(() => {
      if (document.visibilityState === 'hidden') controller?.abort();
    }, 30_000);
  }
});

async function keepConnected(stop: AbortSignal): Promise<void> {
  let failures = 0;
  while (!stop.aborted) {
    let isDraining = false;
    try {
      isDraining = await readOnce(stop, () => {
        failures = 0;
      });
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return;
      if (error instanceof Problem && [401, 403].includes(error.status)) {
        connection.value = { state: 'off' };
        return;
      }
    }
    failures += 1;
    const waitMs = Math.min(30_000, 500 * 2 ** Math.min(failures, 6)) * (0.75 + Math.random() / 2);
    if (isStopped(stop)) return;
    const { value } = connection;
    const sinceAt = 'sinceAt' in value ? value.sinceAt : Date.now();
    const state = isDraining || value.state === 'draining' ? 'draining' : 'lost';
    connection.value = { state, sinceAt, nextAt: Date.now() + waitMs };
    await pause(waitMs, stop);
  }
}

/** A function, because the compiler takes the loop's own look at it for the last word. */
function isStopped(stop: AbortSignal): boolean {
  return stop.aborted;
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    stop.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** True when the scheduler said that it shuts down. */
async function readOnce(stop: AbortSignal, onOpen: () => void): Promise<boolean> {
  if (hub === '') return pollHubs(stop, onOpen);
  const query = new URLSearchParams(watched.map((id) => ['watch', id.toWellFormed()]));
  const answer = await openEvents(apiPath(hub, `events?${query.toString()}`), stop);
  if (!answer.body) throw new Error('the answer has no body');
  onOpen();
  isBack();
  const parser = new EventParser();
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return false;
    for (const event of parser.push(value)) {
      if (event.event === 'bye') return true;
      take(event);
    }
  }
}

/** Pages of the whole scheduler have no hub to follow: they look whether it is there. */
async function pollHubs(stop: AbortSignal, onOpen: () => void): Promise<boolean> {
  for (;;) {
    await get('/health/ready', stop);
    onOpen();
    isBack();
    heardAt.value = serverNow();
    await pause(3000, stop);
    stop.throwIfAborted();
  }
}

function isBack(): void {
  const wasLost = 'sinceAt' in connection.value;
  if (!wasLost) {
    const { state } = connection.value;
    if (state === 'connecting' || state === 'off') connection.value = { state: 'live' };
    return;
  }
  connection.value = { state: 'back' };
  resync.value += 1;
  setTimeout(() => {
    if (connection.value.state === 'back') connection.value = { state: 'live' };
  }, 3000);
}

function take({ event, data }: ServerEvent): void {
  const body = JSON.parse(data) as { readonly now: number };
  clockOffset.value = body.now - Date.now();
  heardAt.value = body.now;
  if (event === 'summary') summary.value = body as unknown as SummaryJson;
  if (event === 'instances') {
    for (const listener of listeners) listener(body as unknown as InstancesChange);
  }
}
