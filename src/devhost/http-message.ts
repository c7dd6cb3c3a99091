import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { CookieData, HttpData, InvocationResponse, TypedData } from './core-types.ts';
import type { IndexedFunction } from './function-index.ts';

/** A request as an HTTP trigger gets it. */
export interface TriggeredRequest {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  /** Absolute, as the client wrote it. */
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
}

/** The body in full; `undefined` when it exceeds `maxBytes`. */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The trigger's input when the request goes to the app as a message with its whole body. */
export function encodeRequest(triggered: TriggeredRequest, body: Buffer): TypedData {
  const { method, url, headers, params } = triggered;
  return {
    http: {
      method,
      url: url.href,
      nullableHeaders: wrap(headersOf(headers)),
      nullableQuery: wrap(queryOf(url)),
      nullableParams: wrap(params),
      body: { bytes: body },
    },
  };
}

/**
 * What the host knows of a request beside the body. Query values stand beside the route parameters
 * here, as in the host: apps in streaming mode read them from `request.params`.
 */
export function encodeTriggerMetadata(
  triggered: Omit<TriggeredRequest, 'method'>,
): Record<string, TypedData> {
  const { url, headers, params } = triggered;
  const query = queryOf(url);
  const texts = Object.entries({ ...query, ...params });
  return {
    ...Object.fromEntries(texts.map(([name, value]) => [name, { string: value }])),
    Query: { json: JSON.stringify(query) },
    Headers: { json: JSON.stringify(headersOf(headers)) },
  };
}

/** The HTTP response among a function's outputs; `undefined` when it gave none. */
export function responseOf(
  fn: IndexedFunction,
  response: InvocationResponse,
): HttpData | undefined {
  if (response.returnValue?.http) return response.returnValue.http;
  const isHttp = (name: string): boolean =>
    fn.registered.metadata.bindings[name]?.type?.toLowerCase() === 'http';
  return response.outputData?.find(({ name }) => isHttp(name))?.data.http ?? undefined;
}

/** Sends a function's response; without one it is 204, as from the host. */
export function sendResponse(to: ServerResponse, data: HttpData | undefined): void {
  if (data === undefined) {
    sendEmpty(to, 204);
    return;
  }
  to.statusCode = Number(data.statusCode ?? 200);
  for (const [name, value] of Object.entries(data.headers ?? {})) {
    if (!isHopByHop(name) && name.toLowerCase() !== 'content-length') to.setHeader(name, value);
  }
  const cookies = (data.cookies ?? []).map((cookie) => formatCookie(cookie));
  if (cookies.length > 0) to.appendHeader('set-cookie', cookies);
  to.end(bytesOf(data.body));
}

export function sendEmpty(to: ServerResponse, status: number): void {
  to.writeHead(status, status === 204 ? {} : { 'content-length': 0 }).end();
}

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Headers that concern one connection only and are never passed on. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name.toLowerCase());
}

function bytesOf(body: TypedData | null | undefined): Buffer {
  const { bytes, stream, string, json } = body ?? {};
  return Buffer.from(bytes ?? stream ?? Buffer.from(string ?? json ?? '', 'utf8'));
}

function headersOf(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value = '']) => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  );
}

/** A name given several times keeps all its values, joined by commas. */
function queryOf(url: URL): Record<string, string> {
  const names = [...new Set(url.searchParams.keys())];
  return Object.fromEntries(names.map((name) => [name, url.searchParams.getAll(name).join(',')]));
}

function wrap(values: Readonly<Record<string, string>>): Record<string, { value: string }> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
}

function formatCookie(cookie: CookieData): string {
  const seconds = cookie.expires?.value?.seconds;
  const attributes: (string | undefined)[] = [
    `${cookie.name}=${encodeURIComponent(cookie.value)}`,
    seconds === undefined ? undefined : `expires=${new Date(seconds * 1000).toUTCString()}`,
    attribute('max-age', cookie.maxAge?.value),
    attribute('domain', cookie.domain?.value),
    attribute('path', cookie.path?.value),
    cookie.secure?.value === true ? 'secure' : undefined,
    SAME_SITE[cookie.sameSite ?? 'none'],
    cookie.httpOnly?.value === true ? 'httponly' : undefined,
  ];
  return attributes.filter((each) => each !== undefined).join('; ');
}

const SAME_SITE = {
  none: undefined,
  lax: 'samesite=lax',
  strict: 'samesite=strict',
  explicitNone: 'samesite=none',
} as const;

function attribute(name: string, value: string | number | null | undefined): string | undefined {
  return value === undefined || value === null ? undefined : `${name}=${value}`;
}
