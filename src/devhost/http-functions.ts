import type { IncomingMessage, ServerResponse } from 'node:http';
import type { IdSource } from '../base/ids.ts';
import {
  encodeRequest,
  encodeTriggerMetadata,
  readBody,
  responseOf,
  sendEmpty,
  sendResponse,
} from './http-message.ts';
import type { RouteMatch } from './http-router.ts';
import { openUpstream, relayResponse } from './http-stream.ts';
import type { UpstreamRequest } from './http-stream.ts';
import type { Invocation, InvocationOutcome, Invoker } from './invoker.ts';

/** The host's default limit on a request body that is not streamed (100 MiB). */
const BODY_MAX_BYTES = 104_857_600;

/** Why a function runs that was called over HTTP, in the host's words. */
export const HTTP_REASON = 'This function was programmatically called via the host APIs.';

export interface HttpFunctionsDeps {
  readonly invoker: Invoker;
  readonly ids: IdSource;
  /** Where the app serves streamed requests; `undefined` when it did not ask for streaming. */
  readonly httpUri: string | undefined;
}

export interface HttpCall extends RouteMatch {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

/** Runs an HTTP function for a request and answers it: a failure is 500 with an empty body. */
export async function serveFunction(deps: HttpFunctionsDeps, call: HttpCall): Promise<void> {
  if (deps.httpUri === undefined) await serveBuffered(deps.invoker, call, invocationOf(deps, call));
  else
    await serveStreamed(deps.invoker, call, { ...invocationOf(deps, call), httpUri: deps.httpUri });
}

async function serveBuffered(
  invoker: Invoker,
  call: HttpCall,
  invocation: Invocation,
): Promise<void> {
  const { fn, request, response } = call;
  const body = await readBody(request, BODY_MAX_BYTES);
  if (body === undefined) {
    response.setHeader('connection', 'close');
    sendEmpty(response, 413);
    return;
  }
  const { method = 'GET', headers } = request;
  const input = encodeRequest({ ...call, method, headers }, body);
  const outcome = await invoker.invoke({ ...invocation, input });
  if (outcome.kind === 'failed') sendEmpty(response, 500);
  else sendResponse(response, responseOf(fn, outcome.response));
}

async function serveStreamed(
  invoker: Invoker,
  { request, response, url }: HttpCall,
  invocation: StreamedInvocation,
): Promise<void> {
  const { method = 'GET', headers } = request;
  const upstream = { method, headers, url, body: request };
  const end = await invokeStreamed(invoker, invocation, {
    upstream,
    onResponse: (answer) => relayResponse(answer, response),
  });
  if (end !== 'answered') sendEmpty(response, end === 'failed' ? 500 : 204);
}

export interface StreamedInvocation extends Invocation {
  readonly httpUri: string;
}

export interface StreamedRequest {
  readonly upstream: UpstreamRequest;
  readonly onResponse: (answer: IncomingMessage) => Promise<void>;
}

/**
 * Runs an HTTP function in streaming mode: the app's own server gets the request, and the
 * invocation waits for it. `answered` when a response came; otherwise how the invocation ended,
 * which is `failed` too when the app's server broke off and left it waiting.
 */
export async function invokeStreamed(
  invoker: Invoker,
  invocation: StreamedInvocation,
  { upstream, onResponse }: StreamedRequest,
): Promise<'answered' | InvocationOutcome['kind']> {
  const { httpUri, invocationId } = invocation;
  const ended = new AbortController();
  const invoke = async (): Promise<InvocationOutcome> => {
    const outcome = await invoker.invoke(invocation);
    // A response may still be on its way after the invocation that sent it has ended.
    if (outcome.kind === 'failed' || !outcome.hasResult) ended.abort();
    return outcome;
  };
  const invoked = invoke();
  const answer = await openUpstream(upstream, { httpUri, invocationId, signal: ended.signal });
  if (answer === undefined) return ended.signal.aborted ? (await invoked).kind : 'failed';
  await onResponse(answer);
  return 'answered';
}

function invocationOf(deps: HttpFunctionsDeps, call: HttpCall): Invocation {
  const { headers } = call.request;
  const { traceparent, tracestate } = headers;
  return {
    fn: call.fn,
    invocationId: deps.ids.uuid(),
    reason: HTTP_REASON,
    input: { http: {} },
    triggerMetadata: encodeTriggerMetadata({ ...call, headers }),
    traceParent: typeof traceparent === 'string' ? traceparent : undefined,
    traceState: typeof tracestate === 'string' ? tracestate : undefined,
  };
}
