import { invalidArgument } from '../core/errors.ts';

/** What the product forbids in ids because they are part of management URLs. */
const FORBIDDEN = /[/\\?#\u0000-\u001f\u007f]/;

/** Refuses an id that could not be part of a management URL (INVALID_ARGUMENT). */
export function assertLinkableId(instanceId: string): void {
  const found = FORBIDDEN.exec(instanceId)?.[0];
  if (found === undefined) return;
  throw invalidArgument(
    `instanceId ${JSON.stringify(instanceId.slice(0, 120))} contains ${JSON.stringify(found)}: ids are part of ` +
      'management URLs, so "/", "\\", "?", "#" and control characters are not allowed. Choose another id.',
  );
}
