/** The JSON API as the pages call it: same origin, one kind of failure. */

import { authorization, refused } from './session.ts';

/** What the scheduler answered instead of what was asked for. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, detail: string) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.status = status;
  }
}

interface ProblemBody {
  readonly code?: string;
  readonly detail?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

async function problemOf(answer: Response): Promise<Problem> {
  const text = await answer.text();
  try {
    const body = JSON.parse(text) as ProblemBody;
    const code = body.code ?? body.error?.code ?? 'UNKNOWN';
    return new Problem(code, answer.status, body.detail ?? body.error?.message ?? text);
  } catch {
    return new Problem('UNKNOWN', answer.status, `The scheduler answered ${answer.status}.`);
  }
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    const headers = { ...(init.headers as Record<string, string> | undefined), ...authorization() };
    answer = await fetch(path, { ...init, headers, credentials: 'same-origin' });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem('UNREACHABLE', 0, 'The scheduler cannot be reached.');
  }
  if (answer.status === 401) refused();
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

/** A page's own data; the caller names the contract's type. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const answer = await send(path, signal ? { signal } : {});
  return (await answer.json()) as T;
}

export interface TextPage {
  readonly text: string;
  /** Characters in the whole of it. */
  readonly total: number;
}

export async function getText(path: string): Promise<TextPage> {
  const answer = await send(path, {});
  const text = await answer.text();
  return { text, total: Number(answer.headers.get('x-total-length') ?? text.length) };
}

/** As a file, for a link that cannot carry a token. */
export async function getFile(
  path: string,
): Promise<{ readonly name: string; readonly body: Blob }> {
  const answer = await send(path, {});
  const [, name = 'download'] =
    /filename="([^"]+)"/.exec(answer.headers.get('content-disposition') ?? '') ?? [];
  return { name, body: await answer.blob() };
}

export async function post<T>(path: string, body: unknown, method = 'POST'): Promise<T> {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await send(path, { method, headers, body: JSON.stringify(body) });
  return (await answer.json()) as T;
}

export function openEvents(path: string, signal: AbortSignal): Promise<Response> {
  return send(path, { signal, headers: { Accept: 'text/event-stream' } });
}
