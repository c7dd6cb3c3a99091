/** Opaque page tokens: where the next page begins, as the order of the list has it. */
import { invalidArgument } from './errors.ts';

/** Rows in a list stand in the order of a number (a time, a row id) or of a text (an instance id). */
export type PageToken = readonly [at: number, rid: number] | readonly [id: string];

const PREFIX = 'p1.';

export function encodePageToken(token: PageToken): string {
  return PREFIX + toHex(JSON.stringify(token));
}

/** `undefined` and the empty text are the first page. INVALID_ARGUMENT for anything that is no token of ours. */
export function decodePageToken(text: string | undefined): PageToken | undefined {
  if (text === undefined || text === '') return undefined;
  const token = text.startsWith(PREFIX) ? parse(fromHex(text.slice(PREFIX.length))) : undefined;
  if (!token) {
    throw invalidArgument(
      `the continuation token '${text.slice(0, 40)}' is not one of this scheduler's; start again without a token`,
    );
  }
  return token;
}

function parse(text: string | undefined): PageToken | undefined {
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // Reported by the caller, with the token itself.
  }
  if (!Array.isArray(value)) return undefined;
  const [first, second] = value as readonly unknown[];
  if (value.length === 1 && typeof first === 'string') return [first];
  const isPair = value.length === 2 && Number.isSafeInteger(first) && Number.isSafeInteger(second);
  return isPair ? [first as number, second as number] : undefined;
}

/** UTF-16 units, four hex digits each: no dependency on how the platform encodes text. */
function toHex(text: string): string {
  let hex = '';
  for (let index = 0; index < text.length; index += 1) {
    hex += text.charCodeAt(index).toString(16).padStart(4, '0');
  }
  return hex;
}

function fromHex(hex: string): string | undefined {
  if (!/^([0-9a-f]{4})+$/.test(hex)) return undefined;
  let text = '';
  for (let at = 0; at < hex.length; at += 4) {
    text += String.fromCharCode(Number.parseInt(hex.slice(at, at + 4), 16));
  }
  return text;
}
