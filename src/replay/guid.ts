/** SHA-1 of some bytes, 20 bytes; injected because this room has no crypto. */
export type Sha1 = (data: Uint8Array) => Uint8Array;

/** The namespace of all Durable Task SDKs for deterministic ids. */
const NAMESPACE = '9e952958-5e33-4daf-827f-2fa12937b875';

/**
 * The id that `context.df.newGuid` of durable-functions gives: the first 16 bytes of the seed's hash
 * are the *namespace*, and the text of the usual namespace is the *name*, of a version 5 UUID.
 */
export function classicGuid(seed: string, sha1: Sha1): string {
  return uuidV5(sha1(utf8(seed)).subarray(0, 16), NAMESPACE, sha1);
}

/** The id that `newGuid` of durabletask-js gives: a version 5 UUID of the seed. */
export function coreGuid(seed: string, sha1: Sha1): string {
  return uuidV5(bytesOfHex(NAMESPACE.replaceAll('-', '')), seed, sha1);
}

function uuidV5(namespace: Uint8Array, name: string, sha1: Sha1): string {
  const nameBytes = utf8(name);
  const data = new Uint8Array(namespace.length + nameBytes.length);
  data.set(namespace);
  data.set(nameBytes, namespace.length);
  const hash = [...sha1(data).subarray(0, 16)];
  const hex = hash
    .map((byte, index) => stamped(byte, index).toString(16).padStart(2, '0'))
    .join('');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-');
}

/** Version 5 in byte 6, RFC 4122 variant in byte 8. */
function stamped(byte: number, index: number): number {
  if (index === 6) return (byte & 0x0f) | 0x50;
  return index === 8 ? (byte & 0x3f) | 0x80 : byte;
}

function bytesOfHex(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, index) =>
    Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16),
  );
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
