import type { ChildProcess as NodeChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FromChild, ToChild } from './child-side.ts';

export interface OpenChildOptions {
  /** URL of the file of `bench/processes/`. */
  readonly file: URL;
  readonly args: readonly string[];
  /** Where to write a CPU profile when the child ends. */
  readonly profileDir?: string | undefined;
}

/** A part of a benchmark in a process of its own, so that its CPU time can be told apart. */
export class ChildProcess {
  readonly endpoint: string;
  readonly httpEndpoint: string;
  readonly #child: NodeChildProcess;

  private constructor(
    child: NodeChildProcess,
    { endpoint, httpEndpoint }: Pick<ChildProcess, 'endpoint' | 'httpEndpoint'>,
  ) {
    this.#child = child;
    this.endpoint = endpoint;
    this.httpEndpoint = httpEndpoint;
  }

  /** Resolves when the child is ready; rejects when it ends before that. */
  static async open({ file, args, profileDir }: OpenChildOptions): Promise<ChildProcess> {
    const path = fileURLToPath(file);
    const name = basename(path, '.ts');
    const profile =
      profileDir === undefined
        ? []
        : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`, `--cpu-prof-name=${name}.cpuprofile`];
    const child = fork(path, args, { execArgv: profile });
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${name} ended with ${String(code)} before it was ready`);
    });
    ended.catch(() => undefined);
    const message = await Promise.race([nextMessage(child), ended]);
    if (message.kind !== 'ready') throw new Error(`${name} did not say that it is ready`);
    return new ChildProcess(child, message);
  }

  /** CPU time that the child has used so far. */
  async cpuSeconds(): Promise<number> {
    const answer = nextMessage(this.#child);
    this.#send('cpu');
    const message = await answer;
    if (message.kind !== 'cpu') throw new Error('the child answered another question');
    return message.seconds;
  }

  async close(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#send('close');
    await exited;
  }

  #send(message: ToChild): void {
    this.#child.send(message);
  }
}

async function nextMessage(child: NodeChildProcess): Promise<FromChild> {
  const [message] = (await once(child, 'message')) as [FromChild];
  return message;
}
