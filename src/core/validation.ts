/** The rules of what comes in from outside, shared by server and client so that both say the same. */
import { invalidArgument } from './errors.ts';
import {
  INSTANCE_ID_LENGTH_MAX,
  NAME_LENGTH_MAX,
  TAGS_BYTES_MAX,
  type PayloadKind,
  type PayloadLimits,
} from './limits.ts';

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/** Rejects an id that cannot name an orchestration; `field` is the request's own name for it. */
export function assertInstanceId(id: string, field = 'instanceId'): void {
  const problem = instanceIdProblem(id, field);
  if (problem !== undefined) throw invalidArgument(problem);
}

/** Why an id cannot name an orchestration, or `undefined`. */
export function instanceIdProblem(id: string, field = 'instanceId'): string | undefined {
  if (id === '') return `${field} must not be empty`;
  if (id.length > INSTANCE_ID_LENGTH_MAX) {
    return `${field} '${shorten(id)}' has a length of ${id.length} characters; the limit is ${INSTANCE_ID_LENGTH_MAX}: use a shorter id`;
  }
  if (!PRINTABLE_ASCII.test(id)) {
    return `${field} '${shorten(id)}' holds a character outside printable ASCII (0x20 to 0x7E); use only those`;
  }
  if (id.startsWith('@')) {
    return `${field} '${shorten(id)}' starts with '@', which marks an entity; choose an orchestration id without it`;
  }
  return undefined;
}

export function assertName(name: string, field: string): void {
  if (name.trim() === '') throw invalidArgument(`${field} must not be empty`);
  if (name.length > NAME_LENGTH_MAX) {
    throw invalidArgument(
      `${field} '${shorten(name)}' has ${name.length} characters; the limit is ${NAME_LENGTH_MAX}`,
    );
  }
}

export function assertTags(tags: Readonly<Record<string, string>>): void {
  const problem = tagsProblem(tags);
  if (problem !== undefined) throw invalidArgument(problem);
}

/** Why tags cannot be kept, or `undefined`. */
export function tagsProblem(tags: Readonly<Record<string, string>>): string | undefined {
  const size = textBytes(JSON.stringify(tags));
  if (size <= TAGS_BYTES_MAX) return undefined;
  return `tags take ${size} bytes as JSON; the limit is ${TAGS_BYTES_MAX}: shorten or drop some`;
}

/** What is wrong with a payload's size, or `undefined`. Names limit, size and setting, never the payload. */
export function payloadProblem(
  text: string | undefined,
  kind: PayloadKind,
  limits: PayloadLimits,
): string | undefined {
  const limit = limits[kind];
  if (text === undefined || text.length * 3 <= limit) return undefined;
  const size = textBytes(text);
  if (size <= limit) return undefined;
  return (
    `the ${PAYLOAD_NAMES[kind]} takes ${size} bytes, more than the limit of ${limit} bytes ` +
    `(setting payloadLimits.${kind}); pass a reference to stored data instead, or raise the setting`
  );
}

export function assertPayload(
  text: string | undefined,
  kind: PayloadKind,
  limits: PayloadLimits,
): void {
  const problem = payloadProblem(text, kind, limits);
  if (problem !== undefined) throw invalidArgument(problem);
}

const PAYLOAD_NAMES: Record<PayloadKind, string> = {
  orchestrationInput: 'orchestration input',
  orchestrationOutput: 'orchestration output',
  activityInput: 'activity input',
  activityOutput: 'activity output',
  eventData: 'event data',
  customStatus: 'custom status',
  entityState: 'entity state',
  entityInput: 'entity operation input',
  entityOutput: 'entity operation result',
};

/** Bytes of `text` in UTF-8. */
export function textBytes(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1))) {
      bytes += 4;
      index += 1;
    } else bytes += 3;
  }
  return bytes;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 40)}…`;
}
