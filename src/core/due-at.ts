import type { Timestamp } from '@bufbuild/protobuf/wkt';

/** Rounded up to the next millisecond: a timer never fires before its time. */
export function dueAt(fireAt: Timestamp): number {
  return Number(fireAt.seconds) * 1000 + Math.ceil(fireAt.nanos / 1_000_000);
}
