import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, promisify } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { NodeProcess } from '../support/node-process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The links of a new instance, as `createCheckStatusResponse` answers them. */
export interface Links {
  readonly id: string;
  readonly statusQueryGetUri: string;
  readonly sendEventPostUri: string;
  readonly terminatePostUri: string;
}

/** An instance's status as its link answers it. */
export interface Status {
  readonly name: string;
  readonly runtimeStatus: string;
  readonly input: unknown;
  readonly output: unknown;
  readonly customStatus: unknown;
}

/** A copy of a sample, compiled when it is in TypeScript, where the repository's packages resolve. */
export class SampleCopy {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  static async make(name: string): Promise<SampleCopy> {
    const source = join(ROOT, 'samples', name);
    const parent = join(ROOT, '.tmp');
    mkdirSync(parent, { recursive: true });
    const dir = mkdtempSync(join(parent, `${name}-`));
    const skipped = ['dist', 'node_modules', '.durabletask'];
    cpSync(source, dir, { recursive: true, filter: (file) => !skipped.includes(basename(file)) });
    if (existsSync(join(dir, 'tsconfig.json'))) {
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      await promisify(execFile)(process.execPath, [tsc, '-p', dir]);
    }
    return new SampleCopy(dir);
  }

  read(name: string): string {
    return readFileSync(join(this.dir, name), 'utf8');
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.dir, name), text);
  }

  /** Takes a file of the repository's root instead of the sample's own. */
  useRootFile(rootName: string, name: string, edit: (text: string) => string): void {
    this.write(name, edit(readFileSync(join(ROOT, rootName), 'utf8')));
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A sample that `durabletask dev` serves from a process of its own, its state in a file. */
export class RunningSample {
  readonly #process: NodeProcess;
  readonly #copy: SampleCopy;
  readonly #url: string;

  private constructor(process: NodeProcess, copy: SampleCopy, url: string) {
    this.#process = process;
    this.#copy = copy;
    this.#url = url;
  }

  static async open(name: string): Promise<RunningSample> {
    const copy = await SampleCopy.make(name);
    const ports = ['--grpc-port', '0', '--http-port', '0', '--functions-port', '0'];
    const process = NodeProcess.cli(['dev', '.', '--json', ...ports], { cwd: copy.dir });
    const { functions } = await process.ready();
    return new RunningSample(process, copy, functions);
  }

  /** Starts an orchestration as `curl -X POST` would. */
  start(path: string, body?: unknown): Promise<Links> {
    return startAt(`${this.#url}/api/${path}`, body);
  }

  /** Sends a request to a function of the sample. */
  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`${this.#url}/api/${path}`, init);
  }

  /** The exit code of the process after an ordinary stop. */
  async close(): Promise<number | undefined> {
    const exitCode = await this.#process.end('SIGTERM');
    this.#copy.remove();
    return exitCode;
  }
}

/** Posts to a starter's URL, which must answer with links. */
export async function startAt(url: string, body?: unknown): Promise<Links> {
  const response = await post(url, body);
  const text = await response.text();
  assert.equal(response.status, 202, text);
  const links = JSON.parse(text) as Links;
  assert.equal(response.headers.get('location'), links.statusQueryGetUri);
  return links;
}

/** Sends an external event through the instance's link. */
export async function raise(links: Links, eventName: string, data: unknown): Promise<void> {
  const url = links.sendEventPostUri.replace('{eventName}', eventName);
  assert.equal((await post(url, data)).status, 202);
}

const never = new AbortController().signal;

/** Asks for the status, again and again, until it is as wanted or ten seconds have passed. */
export async function statusWhen(
  links: Links,
  isWanted: (status: Status) => boolean,
): Promise<Status> {
  const lateAt = systemClock.now() + 10_000;
  for (;;) {
    const response = await fetch(links.statusQueryGetUri);
    const status = (await response.json()) as Status;
    const isOver = ['Completed', 'Failed', 'Terminated'].includes(status.runtimeStatus);
    assert.equal(response.status, isOver ? 200 : 202);
    if (isWanted(status)) return status;
    assert.ok(systemClock.now() < lateAt, `the status stays ${JSON.stringify(status)}`);
    await systemClock.sleepUntil(systemClock.now() + 20, { signal: never });
  }
}

/** Asks for a value, again and again, until it is as wanted or ten seconds have passed. */
export async function reads(read: () => Promise<unknown>, wanted: unknown): Promise<void> {
  const lateAt = systemClock.now() + 10_000;
  for (;;) {
    const value = await read();
    if (isDeepStrictEqual(value, wanted)) return;
    assert.ok(systemClock.now() < lateAt, `the value stays ${JSON.stringify(value)}`);
    await systemClock.sleepUntil(systemClock.now() + 20, { signal: never });
  }
}

/** The output of an instance that completes. */
export async function outputOf(links: Links): Promise<unknown> {
  const { runtimeStatus, output } = await statusWhen(links, (status) => status.output !== null);
  assert.equal(runtimeStatus, 'Completed');
  return output;
}

function post(url: string, body: unknown): Promise<Response> {
  if (body === undefined) return fetch(url, { method: 'POST' });
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}
