/** Entity ids, `@name@key`: the name in lower case and without `@`, the key whatever it likes (wire-protocol 7.1). */
import { invalidArgument } from './errors.ts';
import { INSTANCE_ID_LENGTH_MAX } from './limits.ts';

export interface EntityId {
  readonly name: string;
  readonly key: string;
}

/** The parts of an id, its name in lower case; `undefined` when the text names no entity. */
export function parseEntityId(text: string): EntityId | undefined {
  const second = text.indexOf('@', 1);
  if (!text.startsWith('@') || second < 2) return undefined;
  return { name: text.slice(1, second).toLowerCase(), key: text.slice(second + 1) };
}

/** The one spelling of an id. */
export function entityIdText({ name, key }: EntityId): string {
  return `@${name}@${key}`;
}

/** Why a text cannot name an entity, or `undefined`. */
export function entityIdProblem(text: string, field = 'instanceId'): string | undefined {
  if (text.length > INSTANCE_ID_LENGTH_MAX) {
    return `${field} '${text.slice(0, 40)}…' has a length of ${text.length} characters; the limit is ${INSTANCE_ID_LENGTH_MAX}: use a shorter name or key`;
  }
  if (!/^[\x20-\x7e]*$/.test(text)) {
    return `${field} holds a character outside printable ASCII (0x20 to 0x7E); use only those`;
  }
  if (parseEntityId(text)) return undefined;
  return `${field} '${text.slice(0, 40)}' names no entity; write '@name@key' with a name that is not empty`;
}

/** The id in its one spelling. INVALID_ARGUMENT when the text names no entity. */
export function readEntityId(text: string, field = 'instanceId'): string {
  const problem = entityIdProblem(text, field);
  if (problem !== undefined) throw invalidArgument(problem);
  return normalEntityId(text);
}

/** The one spelling of an id that was checked, or the text itself when it names no entity. */
export function normalEntityId(text: string): string {
  const id = parseEntityId(text);
  return id ? entityIdText(id) : text;
}
