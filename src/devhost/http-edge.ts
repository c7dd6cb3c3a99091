import type { IncomingMessage, ServerResponse } from 'node:http';
import { isLoopback } from '../config/loopback.ts';

/** Rules that hold for every request before any function sees it. */
export interface EdgeOptions {
  /** The address that is listened on. */
  readonly host: string;
  readonly pathAliases: Readonly<Record<string, string>>;
}

const LOCAL_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Why a request must be refused, as a sentence, or `undefined`. On loopback a Host header of
 * another name is a web page's attempt to reach this machine through its own domain.
 */
export function refusalOf(request: IncomingMessage, { host }: EdgeOptions): string | undefined {
  if (!isLoopback(host)) return undefined;
  const name = (request.headers.host ?? '').replace(/:\d*$/, '').toLowerCase();
  if (LOCAL_NAMES.includes(name) || name === host || name === `[${host}]`) return undefined;
  return `The Host header must be localhost, 127.0.0.1 or [::1], got '${name}'. This host serves the local machine only.`;
}

/**
 * Why a state-changing call must be refused: one that a page of another origin sent. Browsers
 * always send Origin with those; tools send none.
 */
export function foreignOriginOf(request: IncomingMessage): string | undefined {
  const { origin, host } = request.headers;
  if (origin === undefined || origin === `http://${host ?? ''}`) return undefined;
  return `Requests from another origin are refused: '${origin}'.`;
}

/** The absolute URL of a request with path aliases applied; `undefined` when it is malformed. */
export function urlOf(
  request: IncomingMessage,
  { pathAliases }: EdgeOptions,
): { readonly url: URL; readonly path: string } | undefined {
  const target = request.url ?? '/';
  const text = target.startsWith('/') ? `http://${request.headers.host ?? ''}${target}` : target;
  const url = URL.parse(text);
  if (url === null) return undefined;
  return { url, path: applyAlias(url.pathname, pathAliases) };
}

function applyAlias(path: string, aliases: Readonly<Record<string, string>>): string {
  const lower = path.toLowerCase();
  const alias = Object.entries(aliases).find(
    ([from]) => lower === from.toLowerCase() || lower.startsWith(`${from.toLowerCase()}/`),
  );
  return alias === undefined ? path : `${alias[1]}${path.slice(alias[0].length)}`;
}

/** Answers with a sentence for the person who reads it. */
export function sendText(to: ServerResponse, status: number, text: string): void {
  to.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

/** Answers with JSON. */
export function sendJson(to: ServerResponse, status: number, value: unknown): void {
  to.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  to.end(JSON.stringify(value));
}

/** One segment of a path without its escapes; text that is no valid escape stands for itself. */
export function decodePathSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
