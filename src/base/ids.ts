import { randomBytes, randomUUID } from 'node:crypto';

/** Identity and chance as a dependency. */
export interface IdSource {
  /** A random UUID with dashes, lower case. */
  readonly uuid: () => string;
  /** 32 lower-case hex digits, 128 random bits. */
  readonly hex32: () => string;
  /** A number in [0, 1), for jitter. */
  readonly random: () => number;
}

const POOL_BYTES = 4096;
let pool = Buffer.alloc(0);
let used = 0;

/** Random bytes are drawn in blocks: one system call serves 256 ids. */
function hex32(): string {
  if (used + 16 > pool.length) {
    pool = randomBytes(POOL_BYTES);
    used = 0;
  }
  used += 16;
  return pool.toString('hex', used - 16, used);
}

export const systemIds: IdSource = {
  uuid: () => randomUUID(),
  hex32,
  random: () => Math.random(),
};
