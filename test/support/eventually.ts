import assert from 'node:assert/strict';
import { nextLoop } from '../../src/base/yield.ts';

/** Turns of the event loop after which a condition counts as never coming true. */
const TURNS_MAX = 2000;

/** Waits, without a clock, until the condition holds. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    if (condition()) return;
    await nextLoop();
  }
  assert.fail(`never came true: ${what}`);
}

/** Lets everything run that needs no clock and no socket. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await nextLoop();
}
