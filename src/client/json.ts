import { invalidArgument } from '../core/errors.ts';

/**
 * A payload as JSON text; `undefined` for a value that JSON cannot hold (`undefined`, functions).
 *
 * @throws TaskHubError INVALID_ARGUMENT for a value that cannot be written (a cycle, a bigint);
 *   `what` names it in the message.
 */
export function encodeJson(value: unknown, what: string): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw invalidArgument(`${what} cannot be written as JSON: ${reason ?? ''}`);
  }
}
