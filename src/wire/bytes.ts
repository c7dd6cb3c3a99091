/**
 * Protobuf by hand, for the few places where stored bytes are put into messages without decoding them.
 * Everything else goes through the generated code in proto/.
 */

/** A length-delimited field: its one-byte or longer tag, its length, its bytes. */
export interface Field {
  readonly tag: number;
  readonly bytes: Uint8Array;
}

/** The tag of length-delimited field `number`. */
export function lengthDelimited(number: number): number {
  return (number << 3) | 2;
}

const encoder = new TextEncoder();

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

function writeVarint(target: Uint8Array, at: number, value: number): number {
  let rest = value;
  let offset = at;
  while (rest >= 0x80) {
    target[offset] = (rest % 128) | 0x80;
    offset += 1;
    rest = Math.floor(rest / 128);
  }
  target[offset] = rest;
  return offset + 1;
}

/** Bytes that `field` takes in a message. */
export function fieldSize(field: Field): number {
  return varintSize(field.tag) + varintSize(field.bytes.length) + field.bytes.length;
}

/** The fields one after the other: a message, or a part of one. */
export function joinFields(fields: readonly Field[]): Uint8Array {
  let size = 0;
  for (const field of fields) size += fieldSize(field);
  const target = new Uint8Array(size);
  let at = 0;
  for (const { tag, bytes } of fields) {
    at = writeVarint(target, at, tag);
    at = writeVarint(target, at, bytes.length);
    target.set(bytes, at);
    at += bytes.length;
  }
  return target;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1 && parts[0]) return parts[0];
  let size = 0;
  for (const part of parts) size += part.length;
  const target = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    target.set(part, at);
    at += part.length;
  }
  return target;
}

/** Reads a varint; values above 2^53 lose precision, which no length or tag reaches. */
export function readVarint(source: Uint8Array, at: number): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  let offset = at;
  for (;;) {
    const byte = source[offset];
    if (byte === undefined) throw new RangeError('truncated protobuf bytes');
    value += (byte & 0x7f) * scale;
    offset += 1;
    if (byte < 0x80) return { value, next: offset };
    scale *= 128;
  }
}
