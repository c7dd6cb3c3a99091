import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendEmpty } from './http-message.ts';

/** `Host.CORS` and `Host.CORSCredentials` of local.settings.json. */
export interface CorsOptions {
  readonly origins: readonly string[];
  readonly credentials: boolean;
}

/**
 * Lets pages of the configured origins read the functions' responses, and answers their preflight
 * requests. Returns true when the request was a preflight and is answered.
 */
export function applyCors(
  { origins, credentials }: CorsOptions,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { origin } = request.headers;
  if (origin === undefined || !(origins.includes('*') || origins.includes(origin))) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'Origin');
  if (credentials) response.setHeader('access-control-allow-credentials', 'true');
  const method = request.headers['access-control-request-method'];
  if (request.method !== 'OPTIONS' || method === undefined) return false;
  response.setHeader('access-control-allow-methods', method);
  const headers = request.headers['access-control-request-headers'];
  if (headers !== undefined) response.setHeader('access-control-allow-headers', headers);
  sendEmpty(response, 204);
  return true;
}
