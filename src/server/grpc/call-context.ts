import type { Metadata } from '@grpc/grpc-js';
import type { Caller } from '../auth/caller.ts';

/** Development mode: plain SDKs send no `taskhub` header (wire-protocol 1.1). */
export const DEFAULT_TASK_HUB = 'default';

/** What a handler may know of its call beside the request. */
export interface CallContext {
  readonly taskHub: string;
  /** `workerid` metadata, if the caller is a worker that sends it. */
  readonly workerId: string | undefined;
  /** `x-user-agent` metadata: SDK, version and role. */
  readonly userAgent: string | undefined;
  /** `x-durabletask-sticky: 1`: a worker that keeps orchestrations in memory between turns. */
  readonly isSticky: boolean;
  /** `authorization` metadata; never logged. */
  readonly authorization: string | undefined;
  /** W3C `traceparent` metadata: the span that the call is part of. */
  readonly traceParent: string | undefined;
  /** Who calls; `undefined` while the scheduler asks nobody. Set when the call is admitted. */
  caller: Caller | undefined;
  /** A worker that asks for entity requests of the first generation. */
  readonly takesEntityBatches: boolean;
  /** Aborts when the client goes away, cancels, or its deadline passes. */
  readonly signal: AbortSignal;
}

/** Names the caller among all issuers; `undefined` where nobody is asked. */
export function principalOf({ caller }: Pick<CallContext, 'caller'>): string | undefined {
  return caller && JSON.stringify([caller.issuer, caller.principal]);
}

/** The part of a grpc-js call that a context is made of. */
export interface CancellableCall {
  readonly metadata: Metadata;
  readonly cancelled: boolean;
  once(event: 'cancelled', listener: () => void): unknown;
}

/** The reason of an aborted call signal: nobody is left to answer. */
export class CallCancelled extends Error {
  override readonly name = 'CallCancelled';
  constructor() {
    super('the caller went away or its deadline passed');
  }
}

/** Builds the context. What few handlers ask for is made when they do: this runs for every call. */
export function createCallContext(call: CancellableCall): CallContext {
  let controller: AbortController | undefined;
  return {
    taskHub: taskHubOf(call.metadata),
    get workerId() {
      return firstText(call.metadata, 'workerid');
    },
    get isSticky() {
      return firstText(call.metadata, 'x-durabletask-sticky') === '1';
    },
    get takesEntityBatches() {
      return firstText(call.metadata, 'x-durabletask-entity-request') === '1';
    },
    get userAgent() {
      return firstText(call.metadata, 'x-user-agent') ?? nodeLibrary(call.metadata);
    },
    get authorization() {
      return firstText(call.metadata, 'authorization');
    },
    get traceParent() {
      return firstText(call.metadata, 'traceparent');
    },
    caller: undefined,
    get signal() {
      controller ??= controllerFor(call);
      return controller.signal;
    },
  };
}

/** The plain JavaScript SDK says nothing of itself; its gRPC library does. */
function nodeLibrary(metadata: Metadata): string | undefined {
  const library = firstText(metadata, 'user-agent');
  return library?.startsWith('grpc-node-js/') === true ? library : undefined;
}

function controllerFor(call: CancellableCall): AbortController {
  const controller = new AbortController();
  if (call.cancelled) controller.abort(new CallCancelled());
  else {
    call.once('cancelled', () => {
      controller.abort(new CallCancelled());
    });
  }
  return controller;
}

/** The hub that a call names. */
export function taskHubOf(metadata: Metadata): string {
  return firstText(metadata, 'taskhub') ?? DEFAULT_TASK_HUB;
}

function firstText(metadata: Metadata, name: string): string | undefined {
  const [value] = metadata.get(name);
  const text = typeof value === 'string' ? value.trim() : '';
  return text === '' ? undefined : text;
}
