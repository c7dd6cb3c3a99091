import { request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { HttpResponseInit } from '../../replay/http-call.ts';
import { HttpCallError } from './http-call-error.ts';

/** One request, as it goes onto the wire. */
export interface HttpExchange {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly content: string | undefined;
  readonly signal: AbortSignal;
}

/** Far above what a history takes; bounds what a server can make us hold. */
const CONTENT_MAX_BYTES = 32 * 1024 * 1024;

/** Sends one request and reads the whole answer. Follows nothing. Rejects with what node says. */
export async function exchange(call: HttpExchange): Promise<HttpResponseInit> {
  const { method, url, headers, content, signal } = call;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const send = url.startsWith('https:') ? requestHttps : requestHttp;
  const request = send(url, { method, headers: { ...headers }, signal });
  request.on('response', resolve).on('error', reject);
  // Node leaves the length of some methods' bodies open; servers do not expect one there.
  if (content !== undefined) request.setHeader('content-length', Buffer.byteLength(content));
  request.end(content);
  const response = await promise;
  return {
    statusCode: response.statusCode ?? 0,
    headers: headersOf(response),
    content: await contentOf(response),
    url,
  };
}

/** Names as the server wrote them; repeated ones are joined. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string> {
  const byName = new Map<string, { readonly name: string; readonly values: string[] }>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2);
    const known = byName.get(name.toLowerCase());
    if (known === undefined) byName.set(name.toLowerCase(), { name, values: [value] });
    else known.values.push(value);
  }
  return Object.fromEntries(
    [...byName.values()].map(({ name, values }) => [name, values.join(',')]),
  );
}

async function contentOf(response: IncomingMessage): Promise<string> {
  const contentType = response.headers['content-type'] ?? '';
  if (/^multipart\//i.test(contentType.trim())) {
    response.destroy();
    throw new HttpCallError('Multipart content is not supported in callHttp', { isFinal: true });
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > CONTENT_MAX_BYTES) {
      throw new HttpCallError(`The answer has more than ${CONTENT_MAX_BYTES} bytes`, {
        isFinal: true,
      });
    }
    chunks.push(chunk);
  }
  return decode(Buffer.concat(chunks), contentType);
}

function decode(content: Buffer, contentType: string): string {
  const charset = /charset="?([^\s";]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(content);
  } catch {
    // A charset that nobody knows: the bytes are worth more than the refusal.
    return content.toString('utf8');
  }
}
