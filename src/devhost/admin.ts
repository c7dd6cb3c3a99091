import { decodePathSegment, foreignOriginOf, sendJson, sendText } from './http-edge.ts';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseJsonObject } from '../config/json-with-comments.ts';
import type { IndexedFunction } from './function-index.ts';
import type { FunctionListing } from './function-listing.ts';
import { readBody, sendEmpty } from './http-message.ts';

const BODY_MAX_BYTES = 10_485_760;

export interface AdminDeps {
  readonly functions: readonly IndexedFunction[];
  readonly list: (fn: IndexedFunction) => FunctionListing;
  /** Runs a function once with the given input text, in the background. */
  readonly fire: (fn: IndexedFunction, input: string) => void;
  readonly hostVersion: string;
  readonly startedAt: number;
  readonly now: () => number;
}

export interface AdminCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Without the query. */
  readonly path: string;
}

/** Serves `/admin/...`, the host's management endpoints. */
export async function serveAdmin(deps: AdminDeps, call: AdminCall): Promise<void> {
  const { request, response } = call;
  const method = request.method ?? 'GET';
  const foreign = method === 'GET' ? undefined : foreignOriginOf(request);
  if (foreign !== undefined) {
    sendText(response, 403, foreign);
    return;
  }
  const [area, name, action, ...rest] = call.path.split('/').filter(Boolean).slice(1);
  const route = `${method} ${area ?? ''}`.toLowerCase();
  if (rest.length > 0) sendEmpty(response, 404);
  else if (/ host$/.test(route) && action === undefined) serveHost(deps, call, name);
  else if (route === 'get functions') serveListing(deps, response, { name, action });
  else if (route === 'post functions' && action === undefined) await serveInvoke(deps, call, name);
  else sendEmpty(response, 404);
}

function serveHost(deps: AdminDeps, { request, response }: AdminCall, name = ''): void {
  const key = `${request.method ?? ''} ${name}`.toLowerCase();
  if (key === 'get ping' || key === 'post ping') sendEmpty(response, 200);
  else if (key === 'get status') sendJson(response, 200, hostStatus(deps));
  else sendEmpty(response, 404);
}

function hostStatus({ hostVersion, startedAt, now }: AdminDeps): object {
  return {
    id: 'durabletask-devhost',
    state: 'Running',
    version: hostVersion,
    versionDetails: hostVersion,
    processUptime: now() - startedAt,
  };
}

function serveListing(
  deps: AdminDeps,
  response: ServerResponse,
  { name, action }: { readonly name: string | undefined; readonly action: string | undefined },
): void {
  if (name === undefined) {
    sendJson(
      response,
      200,
      deps.functions.map((fn) => describe(deps, fn)),
    );
    return;
  }
  const fn = findFunction(deps, name);
  if (fn === undefined) sendEmpty(response, 404);
  else if (action === undefined) sendJson(response, 200, describe(deps, fn));
  else if (action === 'status') sendJson(response, 200, statusOf(fn));
  else sendEmpty(response, 404);
}

function describe(deps: AdminDeps, fn: IndexedFunction): object {
  const { registered, name, isDisabled } = fn;
  const bindings = Object.entries(registered.metadata.bindings);
  return {
    name,
    language: 'node',
    isDisabled,
    invoke_url_template: deps.list(fn).url ?? null,
    config: {
      name,
      scriptFile: registered.scriptFile ?? null,
      language: 'node',
      bindings: bindings.map(([bindingName, binding]) => ({ ...binding, name: bindingName })),
    },
  };
}

function statusOf({ error, isDisabled }: IndexedFunction): object {
  return { isEnabled: !isDisabled, ...(error !== undefined && { errors: [error] }) };
}

async function serveInvoke(deps: AdminDeps, call: AdminCall, name = ''): Promise<void> {
  const { request, response } = call;
  const fn = findFunction(deps, name);
  if (fn === undefined || fn.error !== undefined || fn.isDisabled) {
    sendEmpty(response, 404);
    return;
  }
  const body = await readBody(request, BODY_MAX_BYTES);
  if (body === undefined) {
    sendEmpty(response, 413);
    return;
  }
  const isJson = /^application\/json\b/i.test(request.headers['content-type'] ?? '');
  if (body.length > 0 && !isJson) {
    sendText(response, 415, 'Send the body as JSON: content-type: application/json.');
    return;
  }
  const input = readInput(body);
  if (input.problem !== undefined) {
    sendText(response, 400, input.problem);
    return;
  }
  deps.fire(fn, input.text);
  sendEmpty(response, 202);
}

/** `{"input": ...}`: text as it is, anything else as JSON text. */
function readInput(body: Buffer): { readonly text: string; readonly problem?: string } {
  if (body.length === 0) return { text: '' };
  try {
    const { input = '' } = parseJsonObject(body.toString('utf8'), 'The request body');
    return { text: typeof input === 'string' ? input : JSON.stringify(input) };
  } catch (error) {
    return { text: '', problem: error instanceof Error ? error.message : String(error) };
  }
}

function findFunction({ functions }: AdminDeps, name: string): IndexedFunction | undefined {
  return functions.find((fn) => fn.name.toLowerCase() === decodePathSegment(name).toLowerCase());
}
