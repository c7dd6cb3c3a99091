import type { HttpRequest } from '@azure/functions';
import { invalidArgument } from '../../core/errors.ts';
import type { OrchestrationStatus } from '../../proto/orchestrator_service_pb.ts';
import { statusFromName } from '../instance-status.ts';

const WAIT_SECONDS_MAX = 230;

/**
 * `timeout` and `pollingInterval` in seconds, both or neither, as milliseconds to wait; the wait is
 * one long poll.
 */
export function readWait(request: HttpRequest): number | undefined {
  const timeout = request.query.get('timeout');
  const interval = request.query.get('pollingInterval');
  if (timeout === null || interval === null) return undefined;
  const [timeoutSeconds, intervalSeconds] = [Number(timeout), Number(interval)];
  const isValid = timeoutSeconds > 0 && intervalSeconds > 0 && intervalSeconds <= timeoutSeconds;
  if (isValid) return Math.min(timeoutSeconds, WAIT_SECONDS_MAX) * 1000;
  throw invalidArgument(
    'timeout and pollingInterval must be numbers of seconds above 0, and timeout the larger one; ' +
      `got timeout=${timeout} and pollingInterval=${interval}.`,
  );
}

/** A flag in any case; a text that is neither counts as not given. */
export function readFlag(request: HttpRequest, name: string, byDefault: boolean): boolean {
  const text = request.query.get(name)?.toLowerCase();
  if (text === 'true') return true;
  return text === 'false' ? false : byDefault;
}

/** A time in any form that a Date reads. Without a zone it is UTC, as for the host. */
export function readDate(request: HttpRequest, name: string): Date | undefined {
  const text = request.query.get(name)?.trim() ?? '';
  if (text === '') return undefined;
  const hasZone = /(z|[+-]\d{2}:?\d{2})$/i.test(text) || !text.includes('T');
  const date = new Date(hasZone ? text : `${text}Z`);
  if (!Number.isNaN(date.getTime())) return date;
  throw invalidArgument(`${name} must be a time like 2026-01-31T12:00:00Z, got "${text}".`);
}

/** Statuses by name: a list with commas; hosts join a repeated parameter in the same way. */
export function readStatuses(request: HttpRequest): OrchestrationStatus[] {
  const names = request.query.getAll('runtimeStatus').flatMap((text) => text.split(','));
  return names
    .filter((name) => name.trim() !== '')
    .map((name) => {
      const status = statusFromName(name);
      if (status !== undefined) return status;
      throw invalidArgument(
        `runtimeStatus "${name}" is no status; use Pending, Running, Completed, Failed, Terminated, ` +
          'Canceled or Suspended.',
      );
    });
}

/** `top`: how many instances to list at once. */
export function readTop(request: HttpRequest): number | undefined {
  const text = request.query.get('top')?.trim() ?? '';
  if (text === '') return undefined;
  const top = Number(text);
  if (Number.isInteger(top) && top > 0) return top;
  throw invalidArgument(`top must be a whole number from 1 on, got "${text}".`);
}

/** The body; `undefined` for none. INVALID_ARGUMENT for one that is no JSON. */
export async function readJson(request: HttpRequest): Promise<unknown> {
  const text = await request.text();
  return text.trim() === '' ? undefined : parseJson(text);
}

/** Whether the body says that it is JSON. */
export function isJsonType(request: HttpRequest): boolean {
  return /^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? '');
}

/** INVALID_ARGUMENT for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw invalidArgument(
      `The request body is not valid JSON: ${error instanceof SyntaxError ? 'check its syntax' : String(error)}.`,
    );
  }
}
