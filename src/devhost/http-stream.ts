import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isHopByHop } from './http-message.ts';

/** The host's own limit on silence between it and the app's streaming server. */
const INACTIVITY_MAX_MS = 240_000;

/** A request on its way to the app: a client's, or one that the host makes itself. */
export interface UpstreamRequest {
  readonly method: string;
  /** The absolute URL that the client called. */
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
}

export interface UpstreamOptions {
  /** Where the library's own HTTP server listens, `http://localhost:55000/`. */
  readonly httpUri: string;
  readonly invocationId: string;
  /** Aborted when the invocation has ended and no response, or no more of it, will come. */
  readonly signal: AbortSignal;
}

/**
 * Streams the app's response to the client. Rejects when either breaks off in the middle: the
 * client then sees a broken response, as it must.
 */
export async function relayResponse(from: IncomingMessage, to: ServerResponse): Promise<void> {
  to.statusCode = from.statusCode ?? 200;
  for (const [name, value] of Object.entries(from.headers)) {
    const isKept = !isHopByHop(name) && name !== 'x-ms-invocation-id';
    if (isKept && value !== undefined) to.setHeader(name, value);
  }
  to.flushHeaders();
  await pipeline(from, to);
}

/**
 * Sends a request to the app's streaming server. Resolves with the response once its headers are
 * there, or with `undefined` when there is none: the outcome of the invocation says why.
 */
export function openUpstream(
  request: UpstreamRequest,
  { httpUri, invocationId, signal }: UpstreamOptions,
): Promise<IncomingMessage | undefined> {
  const { promise, resolve } = Promise.withResolvers<IncomingMessage | undefined>();
  const { method, url, body } = request;
  const upstream = httpRequest(new URL(`${url.pathname}${url.search}`, httpUri), {
    method,
    headers: {
      ...Object.fromEntries(Object.entries(request.headers).filter(([name]) => !isHopByHop(name))),
      'x-ms-invocation-id': invocationId,
      'x-forwarded-host': url.host,
      'x-forwarded-proto': url.protocol.slice(0, -1),
    },
    timeout: INACTIVITY_MAX_MS,
    agent: false,
  });
  const giveUp = (): void => {
    upstream.destroy();
  };
  upstream.on('response', resolve);
  upstream.on('timeout', giveUp);
  upstream.on('error', () => {
    resolve(undefined);
  });
  body.on('error', giveUp);
  body.pipe(upstream);
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  return promise;
}
