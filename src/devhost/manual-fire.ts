import { Readable } from 'node:stream';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import type { IndexedFunction } from './function-index.ts';
import { encodeRequest } from './http-message.ts';
import { HTTP_REASON, invokeStreamed } from './http-functions.ts';
import type { Invoker } from './invoker.ts';
import { encodeTimer } from './timers.ts';

export interface ManualFireDeps {
  readonly invoker: Invoker;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly httpUri: string | undefined;
  /** Without a slash at its end. */
  readonly baseUrl: string;
}

/**
 * Runs any function once, as `POST /admin/functions/{name}` asks: an HTTP function gets the input
 * as the body of a POST, a timer gets its usual input, the others get the text.
 */
export async function fireManually(
  deps: ManualFireDeps,
  fn: IndexedFunction,
  input: string,
): Promise<void> {
  const { invoker, ids, clock } = deps;
  const base = { fn, invocationId: ids.uuid(), reason: HTTP_REASON, triggerMetadata: {} };
  switch (fn.trigger?.kind) {
    case 'http':
      await fireHttp(deps, base, input);
      return;
    case 'timer': {
      const nextAt = fn.trigger.schedule.nextAfter(clock.now());
      const data = encodeTimer({ lastAt: undefined, nextAt, isPastDue: false });
      await invoker.invoke({ ...base, input: data });
      return;
    }
    case 'manual':
    case undefined:
      await invoker.invoke({ ...base, input: { string: input } });
  }
}

interface FireBase {
  readonly fn: IndexedFunction;
  readonly invocationId: string;
  readonly reason: string;
}

async function fireHttp(
  { invoker, httpUri, baseUrl }: ManualFireDeps,
  base: FireBase,
  input: string,
): Promise<void> {
  const body = Buffer.from(input, 'utf8');
  const url = new URL(`${baseUrl}/admin/functions/${encodeURIComponent(base.fn.name)}`);
  const headers = { 'content-type': 'application/json' };
  const request = { method: 'POST', headers, url, params: {} };
  const invocation = { ...base, triggerMetadata: {} };
  if (httpUri === undefined) {
    await invoker.invoke({ ...invocation, input: encodeRequest(request, body) });
    return;
  }
  const headersData = { Headers: { json: JSON.stringify(headers) } };
  await invokeStreamed(
    invoker,
    { ...invocation, triggerMetadata: headersData, input: { http: {} }, httpUri },
    {
      upstream: { ...request, body: Readable.from([body]) },
      onResponse: async (answer) => {
        // Nobody waits for the answer, but the app must be able to write all of it.
        await answer.resume().toArray();
      },
    },
  );
}
