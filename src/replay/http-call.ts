/**
 * `context.df.callHttp`: what it asks for, and what the answers mean. The request itself is an activity
 * (`HTTP_ACTIVITY`). An answer 202 with a `Location` is followed up by a child (`HTTP_POLL_ORCHESTRATOR`),
 * so that the caller's history does not grow with every poll:
 *
 *     callHttp ── activity ──► 200: done
 *                        └───► 202: child ── timer ── activity (GET Location) ──► 202: again; else done
 */
import { classicRetryPolicy } from './classic-tasks.ts';
import type { ClassicRetryOptions } from './classic-tasks.ts';
import type { ActivityWork, CallOutcome } from './tasks.ts';

/** The activity that sends one request; every worker of a Functions app has it. */
export const HTTP_ACTIVITY = 'BuiltIn__HttpActivity';
/** The orchestrator that follows a 202 until it is another answer. */
export const HTTP_POLL_ORCHESTRATOR = 'BuiltIn__HttpPollOrchestrator';

/** When a request is sent again: also, or only, after some statuses. */
export interface HttpRetryOptions extends ClassicRetryOptions {
  /** Statuses that count as a failure. Default: every one from 400 on. */
  readonly statusCodesToRetry?: readonly number[] | undefined;
}

/** Options of `callHttp`: those of durable-functions 3.x, and two that are only in .NET there. */
export interface CallHttpOptions {
  readonly method: string;
  readonly url: string;
  readonly body?: string | object | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly tokenSource?: object | undefined;
  /** Whether a 202 is followed to its end. Default true. */
  readonly enablePolling?: boolean | undefined;
  /** The former name of `enablePolling`, which wins. */
  readonly asynchronousPatternEnabled?: boolean | undefined;
  /** Without them a request that cannot be sent fails at once. (Not in durable-functions 3.x.) */
  readonly retryOptions?: HttpRetryOptions | undefined;
  /** For the request and all polling together. Default: none. (Not in durable-functions 3.x.) */
  readonly timeoutInMilliseconds?: number | undefined;
}

/** Input of the activity. */
export interface HttpRequestSpec {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly content?: string | undefined;
  readonly tokenSource?: object | undefined;
  /** Epoch ms after which there is no point in it any more. */
  readonly deadlineAt?: number | undefined;
  readonly retry?: HttpRetryOptions | undefined;
}

/** Input of the poll orchestrator. */
export interface HttpPollInput {
  /** The request whose answer is waited for. */
  readonly origin: HttpRequestSpec;
  readonly url: string;
  readonly waitMs: number;
  /** Between polls, where an answer does not say. */
  readonly sleepMs: number;
}

/** What an HTTP call of one orchestration depends on. */
export interface HttpCallEnv {
  /** Epoch ms of the turn. */
  readonly now: number;
  readonly sleepMs: number;
  /** Version for the child: that of the caller, whose workers can run it. */
  readonly version: string | undefined;
}

/** What the activity returns, and `DurableHttpResponse` is made from. */
export interface HttpResponseInit {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: string;
  /** Where the answer came from in the end; `Location` is relative to it. */
  readonly url?: string | undefined;
}

/** The answer to `callHttp`, as in durable-functions. */
export class DurableHttpResponse {
  readonly statusCode: number;
  readonly content: string;
  readonly headers: Readonly<Record<string, string>>;
  // Private: the answer is often an orchestration's output, which shall look as it did.
  readonly #url: string | undefined;

  constructor({ statusCode, content, headers, url }: HttpResponseInit) {
    this.statusCode = statusCode;
    this.content = content;
    this.headers = headers;
    this.#url = url;
  }

  /** A header by its name in any case. */
  getHeader(name: string): string | undefined {
    const lower = name.toLowerCase();
    return Object.entries(this.headers).find(([key]) => key.toLowerCase() === lower)?.[1];
  }

  /** What to poll: the absolute http address in the `Location` of a 202; `undefined` for none. */
  pollUrl(): string | undefined {
    const location = this.statusCode === 202 ? this.getHeader('Location') : undefined;
    const url = location === undefined ? null : URL.parse(location, this.#url);
    return url !== null && isHttp(url) ? url.href : undefined;
  }

  /** How long to wait before the next poll; `Retry-After` is in seconds or a date. */
  waitMs({ now, sleepMs }: Pick<HttpCallEnv, 'now' | 'sleepMs'>): number {
    const text = this.getHeader('Retry-After')?.trim() ?? '';
    const waitMs = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
    return Number.isNaN(waitMs) ? sleepMs : Math.min(Math.max(waitMs, 0), TIME_MAX - now);
  }
}

/** The last time that a timer can have. */
const TIME_MAX = Date.UTC(9999, 11, 31);

/** Checks the options of a call. Throws a `TypeError` that names what is wrong. */
export function httpRequestSpec(options: CallHttpOptions, now: number): HttpRequestSpec {
  const { method, url, body, headers = {}, tokenSource, retryOptions: retry } = options;
  if (typeof method !== 'string' || method.trim() === '') {
    throw new TypeError(`method: Expected an HTTP method such as "GET" but got ${typeof method}`);
  }
  const parsed = URL.parse(url);
  if (parsed === null || !isHttp(parsed)) {
    throw new TypeError(
      'url: Expected an absolute http or https URL, for example "https://example.com/"',
    );
  }
  if (retry !== undefined) classicRetryPolicy(retry);
  const timeoutMs = options.timeoutInMilliseconds;
  if (timeoutMs !== undefined && !(timeoutMs > 0)) {
    throw new TypeError(`timeoutInMilliseconds: Expected a number above 0 but got ${timeoutMs}`);
  }
  return {
    method: method.trim().toUpperCase(),
    url: parsed.href,
    headers,
    // An empty body is none, as in durable-functions.
    ...(body && { content: typeof body === 'string' ? body : JSON.stringify(body) }),
    ...(tokenSource !== undefined && { tokenSource }),
    ...(timeoutMs !== undefined && { deadlineAt: now + timeoutMs }),
    ...(retry !== undefined && { retry }),
  };
}

/** A request that is sent, and sent again as its options say. */
export function httpRequestWork(spec: HttpRequestSpec): ActivityWork {
  return {
    kind: 'activity',
    name: HTTP_ACTIVITY,
    input: spec,
    ...(spec.retry !== undefined && { retry: classicRetryPolicy(spec.retry) }),
    settle: (value) => ({ value: responseOf(value) }),
  };
}

/** A whole `callHttp`: the request, and the polling if it is wanted. */
export function httpCallWork(options: CallHttpOptions, env: HttpCallEnv): ActivityWork {
  const spec = httpRequestSpec(options, env.now);
  const work = httpRequestWork(spec);
  const isPolling = options.enablePolling ?? options.asynchronousPatternEnabled ?? true;
  if (!isPolling) return work;
  return { ...work, settle: (value, now) => followUp(spec, responseOf(value), { ...env, now }) };
}

/** The request that asks how the original one is doing. */
export function pollRequest(origin: HttpRequestSpec, url: string): HttpRequestSpec {
  const { deadlineAt, retry, tokenSource } = origin;
  const isSame = isSameOrigin(origin.url, url);
  return {
    method: 'GET',
    url,
    headers: withoutHeaders(headersFor(origin, url), BODY_HEADERS),
    ...(isSame && tokenSource !== undefined && { tokenSource }),
    ...(deadlineAt !== undefined && { deadlineAt }),
    ...(retry !== undefined && { retry }),
  };
}

/**
 * The headers of a request for another address that its own server named, in a `Location`: what was
 * meant for that server alone stays behind when the address is another's.
 */
export function headersFor(
  { url, headers }: Pick<HttpRequestSpec, 'url' | 'headers'>,
  target: string,
): Readonly<Record<string, string>> {
  const kept = withoutHeaders(headers, ['x-functions-key']);
  return isSameOrigin(url, target) ? kept : withoutHeaders(kept, SECRET_HEADERS);
}

/** The same headers without some, named in lower case. */
export function withoutHeaders(
  headers: Readonly<Record<string, string>>,
  names: readonly string[],
): Readonly<Record<string, string>> {
  const kept = Object.entries(headers).filter(([name]) => !names.includes(name.toLowerCase()));
  return Object.fromEntries(kept);
}

/** Headers that describe a body, in lower case. */
export const BODY_HEADERS = [
  'content-type',
  'content-length',
  'content-encoding',
  'content-language',
  'transfer-encoding',
] as const;
const SECRET_HEADERS = ['authorization', 'cookie', 'proxy-authorization'];

/** True when both addresses have the same scheme, host and port. */
export function isSameOrigin(a: string, b: string): boolean {
  return URL.parse(a)?.origin === URL.parse(b)?.origin;
}

function followUp(spec: HttpRequestSpec, response: DurableHttpResponse, env: HttpCallEnv) {
  const url = response.pollUrl();
  if (url === undefined) return { value: response };
  const { sleepMs, version } = env;
  // JSON leaves the content out: a poll has none.
  const origin = { ...spec, content: undefined };
  const input: HttpPollInput = { origin, url, waitMs: response.waitMs(env), sleepMs };
  const next: CallOutcome = {
    next: {
      kind: 'subOrchestration',
      name: HTTP_POLL_ORCHESTRATOR,
      input,
      version,
      settle: (value) => ({ value: responseOf(value) }),
    },
  };
  return next;
}

function responseOf(value: unknown): DurableHttpResponse {
  return new DurableHttpResponse(value as HttpResponseInit);
}

function isHttp({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:';
}
