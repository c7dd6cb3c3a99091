import type { Clock } from '../../base/clock.ts';
import { isAbort } from '../../base/abort.ts';
import type { GetWorkItemsRequest } from '../../proto/orchestrator_service_pb.ts';
import { HEALTH_PING } from '../../wire/work-items.ts';
import type { Guard } from '../auth/guard.ts';
import type { Engine } from '../engine.ts';
import { principalOf, type CallContext } from './call-context.ts';
import type { CallSink } from './call-sink.ts';

/**
 * Longest silence on an idle stream. Workers give a stream up after 120 s without a message
 * (wire-protocol 4.2), so three pings may be late before one does.
 */
export const PING_INTERVAL_MS = 30_000;

export interface ServeWorkItemsOptions {
  readonly engine: Engine;
  readonly guard: Guard | undefined;
  readonly clock: Clock;
  readonly request: GetWorkItemsRequest;
  readonly call: CallContext;
  readonly sink: CallSink;
}

/**
 * Serves one `GetWorkItems` stream until somebody ends it. The first message is a ping, at once:
 * .NET counts a connection as good only when a message arrives.
 */
export async function serveWorkItems(options: ServeWorkItemsOptions): Promise<void> {
  const { engine, request, call, sink } = options;
  sink.push(HEALTH_PING);
  const { workerId, userAgent, isSticky, takesEntityBatches } = call;
  const principal = principalOf(call);
  const identity = { workerId, userAgent, isSticky, takesEntityBatches, principal };
  const stream = engine.openWorkerStream(call.taskHub, { ...identity, request, sink });
  let ending: 'close' | 'expire' = 'close';
  try {
    ending = await pingWhileAllowed(options);
  } finally {
    stream[ending]();
  }
}

/**
 * Pings an idle stream until it is over. That is also when its token expires: the stream ends with OK, as in a drain,
 * and its worker comes back with a new token. A role that was taken away ends it within an interval.
 */
async function pingWhileAllowed({
  sink,
  clock,
  call,
  guard,
}: ServeWorkItemsOptions): Promise<'close' | 'expire'> {
  const { closed } = sink;
  const { caller, taskHub } = call;
  const expiresAt = caller?.expiresAt ?? Infinity;
  try {
    while (clock.now() < expiresAt) {
      const pingAt = sink.lastPushedAt + PING_INTERVAL_MS;
      await clock.sleepUntil(Math.min(pingAt, expiresAt), { signal: closed });
      if (guard && caller) guard.require(caller, 'work', taskHub);
      // A message may have gone out meanwhile; then the next ping is due an interval after it.
      if (clock.now() >= sink.lastPushedAt + PING_INTERVAL_MS) sink.push(HEALTH_PING);
    }
    return 'expire';
  } catch (error) {
    if (!isAbort(error, closed)) throw error;
    return 'close';
  }
}
