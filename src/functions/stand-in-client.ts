import { AsyncLocalStorage } from 'node:async_hooks';
import type { DurableClient } from './durable-client.ts';
import { processWide } from './registry.ts';

/** Clients that `getClient` gives in tests of an app, instead of one for the app's own task hub. */
interface StandIns {
  /** Of the code that runs in a test hub: that hub's. */
  readonly current: AsyncLocalStorage<DurableClient>;
  /** Of any other code: the one that was added last. */
  readonly added: Set<DurableClient>;
}

function standIns(): StandIns {
  return processWide('standIns', () => ({
    current: new AsyncLocalStorage<DurableClient>(),
    added: new Set<DurableClient>(),
  }));
}

/** The client that stands in here, or `undefined` outside tests. */
export function standInClient(): DurableClient | undefined {
  const { current, added } = standIns();
  return current.getStore() ?? [...added].at(-1);
}

/** Lets a client stand in until the returned function is called. */
export function addStandInClient(client: DurableClient): () => void {
  const { added } = standIns();
  added.add(client);
  return () => {
    added.delete(client);
  };
}

/** Calls a function in which, and in all that it starts, this client stands in whatever was added. */
export function withStandInClient<T>(client: DurableClient, call: () => T): T {
  return standIns().current.run(client, call);
}
