/**
 * A thread beside the app's: when the parent is gone and the app's own loop is blocked, so that it
 * cannot notice, this ends the process. Nothing is left running by a parent that was killed.
 */
import { isMainThread } from 'node:worker_threads';

const CHECK_MS = 500;
/** What an app that is not blocked gets to run its appTerminate hooks. */
const GRACE_MS = 8000;

function main(): void {
  const parent = process.ppid;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (process.ppid === parent) Atomics.wait(cell, 0, 0, CHECK_MS);
  Atomics.wait(cell, 0, 0, GRACE_MS);
  process.kill(process.pid, 'SIGKILL');
}

if (!isMainThread) main();
