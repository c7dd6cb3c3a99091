import type { Clock } from '../../base/clock.ts';
import { BODY_HEADERS, headersFor, isSameOrigin, withoutHeaders } from '../../replay/http-call.ts';
import type { HttpRequestSpec, HttpResponseInit } from '../../replay/http-call.ts';
import { exchange } from './exchange.ts';
import type { HttpExchange } from './exchange.ts';
import { HttpCallError } from './http-call-error.ts';
import type { TokenSource } from './token-source.ts';

export interface SendRequestOptions {
  readonly clock: Clock;
  readonly tokens: TokenSource;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

/** For one request with its redirects, unless its call has a time-out of its own. */
const REQUEST_MS = 100_000;
const REDIRECTS_MAX = 20;
const TEXT = 'text/plain; charset=utf-8';

/**
 * Sends a request of `callHttp` and follows its redirects. Rejects with `HttpCallError` when there
 * is no answer in time, or one with a status that is to be tried again.
 */
export async function sendRequest(
  spec: HttpRequestSpec,
  options: SendRequestOptions,
): Promise<HttpResponseInit> {
  const { clock } = options;
  const timeoutMs = spec.deadlineAt === undefined ? REQUEST_MS : spec.deadlineAt - clock.now();
  if (timeoutMs <= 0) throw timedOut(spec.url);
  const response = await within(timeoutMs, { spec, ...options });
  if (isRetried(spec, response.statusCode)) {
    throw new HttpCallError(`${place(spec.url)} answered with status ${response.statusCode}`, {});
  }
  return response;
}

interface Sending extends SendRequestOptions {
  readonly spec: HttpRequestSpec;
}

/** Ends the request and its timer together, whichever is first. */
async function within(timeoutMs: number, sending: Sending): Promise<HttpResponseInit> {
  const { spec, clock, signal } = sending;
  const ended = new AbortController();
  const late = new AbortController();
  const deadline = clock.sleepUntil(clock.now() + timeoutMs, { signal: ended.signal }).then(
    () => late.abort(),
    // Aborted below: there was an answer, or an error.
    () => undefined,
  );
  try {
    return await follow({ ...sending, signal: AbortSignal.any([signal, late.signal]) });
  } catch (error) {
    if (late.signal.aborted) throw timedOut(spec.url);
    if (error instanceof HttpCallError) throw error;
    throw new HttpCallError(`${place(spec.url)} could not be reached: ${textOf(error)}`, {
      cause: error,
    });
  } finally {
    ended.abort();
    await deadline;
  }
}

async function follow({ spec, tokens, signal }: Sending): Promise<HttpResponseInit> {
  let call = await firstCall(spec, tokens, signal);
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    const response = await exchange(call);
    const target = redirectOf(call.url, response);
    if (target === undefined) return response;
    call = redirected(call, response.statusCode, target);
  }
  throw new HttpCallError(`${place(spec.url)} redirected more than ${REDIRECTS_MAX} times`, {
    isFinal: true,
  });
}

async function firstCall(
  spec: HttpRequestSpec,
  tokens: TokenSource,
  signal: AbortSignal,
): Promise<HttpExchange> {
  const { method, url, content, tokenSource } = spec;
  const token = tokenSource === undefined ? undefined : await tokens.getToken(tokenSource, signal);
  const given =
    token === undefined ? spec.headers : withoutHeaders(spec.headers, ['authorization']);
  const names = Object.keys(given).map((name) => name.toLowerCase());
  const headers = {
    ...withoutHeaders(given, ['content-length', 'host', 'transfer-encoding']),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(content !== undefined && !names.includes('content-type') && { 'content-type': TEXT }),
  };
  return { method, url, headers, content, signal };
}

/** Where an answer sends the caller; nowhere for one that may not be followed. */
function redirectOf(url: string, { statusCode, headers }: HttpResponseInit): string | undefined {
  if (![301, 302, 303, 307, 308].includes(statusCode)) return undefined;
  const name = Object.keys(headers).find((each) => each.toLowerCase() === 'location');
  const target = name === undefined ? null : URL.parse(headers[name] ?? '', url);
  if (target?.protocol === 'https:') return target.href;
  // Never from a private line onto a public one.
  return target?.protocol === 'http:' && url.startsWith('http:') ? target.href : undefined;
}

/** As browsers and .NET do: 303, and a POST answered 301 or 302, become a GET without a body. */
function redirected(call: HttpExchange, statusCode: number, url: string): HttpExchange {
  const headers = isSameOrigin(call.url, url) ? call.headers : headersFor(call, url);
  const isGet =
    (statusCode === 303 && call.method !== 'HEAD') ||
    ([301, 302].includes(statusCode) && call.method === 'POST');
  if (!isGet) return { ...call, url, headers };
  const method = 'GET';
  return {
    ...call,
    url,
    method,
    headers: withoutHeaders(headers, BODY_HEADERS),
    content: undefined,
  };
}

function isRetried({ retry }: HttpRequestSpec, statusCode: number): boolean {
  if (retry === undefined) return false;
  const { statusCodesToRetry: statuses = [] } = retry;
  return statuses.length === 0 ? statusCode >= 400 : statuses.includes(statusCode);
}

function timedOut(url: string): HttpCallError {
  return new HttpCallError(`${place(url)} did not answer in time`, { isFinal: true });
}

/** An address without its query, which may hold a key. */
function place(url: string): string {
  const { origin, pathname } = new URL(url);
  return `The HTTP server at ${origin}${pathname}`;
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Several addresses were tried: the text is in the parts.
  if (error instanceof AggregateError) return error.errors.map(textOf).join('; ');
  return error.message;
}
