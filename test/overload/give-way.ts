import { setPriority } from 'node:os';

/** Below the scheduler's: clients and workers run on machines of their own, and must not take its processor here. */
const NICE = 10;

/** Leaves the processor to the scheduler under test, as a process on another machine would. */
export function giveWay(): void {
  setPriority(NICE);
}
