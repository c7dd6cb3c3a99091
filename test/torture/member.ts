import assert from 'node:assert/strict';
import { systemClock } from '../../src/base/clock.ts';
import type { NodeProcess, ReadyLine } from '../support/node-process.ts';
import { pause } from './pause.ts';

export interface MemberOptions {
  /** `node 1`, for messages. */
  readonly name: string;
  readonly spawn: () => NodeProcess;
  readonly onReady: (line: ReadyLine) => void;
  readonly onViolation: (sentence: string) => void;
}

/** A supervisor starts again for so long what does not get up, for example because its database is away. */
const START_MAX_MS = 60_000;

/** A place in the cluster with a process in it that is replaced when it ends. */
export class Member {
  readonly #options: MemberOptions;
  #process: NodeProcess | undefined;
  /** False while somebody ends it or starts it. */
  isUp = false;

  constructor(options: MemberOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { spawn, onReady, name } = this.#options;
    const lateAt = systemClock.now() + START_MAX_MS;
    for (;;) {
      const started = spawn();
      this.#process = started;
      try {
        onReady(await started.ready(START_MAX_MS));
        this.isUp = true;
        void this.#watch(started);
        return;
      } catch (cause) {
        await started.end('SIGKILL');
        assert.ok(systemClock.now() < lateAt, `${name} does not start: ${String(cause)}`);
        await pause(200);
      }
    }
  }

  /** Nothing may end that was not told to. */
  async #watch(started: NodeProcess): Promise<void> {
    await started.ended();
    if (!this.isUp || this.#process !== started) return;
    const lines = started.output.split('\n').slice(-10).join('\n');
    this.#options.onViolation(`${this.#options.name} ended by itself:\n${lines}`);
  }

  /** SIGTERM drains, SIGKILL does not; the exit code of a drain must be 0. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { name, onViolation } = this.#options;
    this.isUp = false;
    const code = await this.#process?.end(signal);
    if (signal === 'SIGTERM' && code !== 0) {
      onViolation(`${name} drained with exit code ${code ?? 'none'}:\n${this.output}`);
    }
  }

  get output(): string {
    return this.#process?.output ?? '';
  }
}
