import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../../src/base/clock.ts';
import { systemClock } from '../../src/base/clock.ts';
import { openDevHost } from '../../src/devhost/dev-host.ts';
import type { DevHost, DevHostOptions } from '../../src/devhost/dev-host.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

export interface TestApp {
  readonly host: DevHost;
  readonly lines: Lines;
}

/** The folder of a fixture app. */
export function appDirOf(name: string): string {
  return fileURLToPath(new URL(`../fixtures/apps/${name}`, import.meta.url));
}

/** Options of a dev host on a free port that prints nowhere. */
export function testOptions(appDir: string, options: Partial<DevHostOptions> = {}): DevHostOptions {
  return {
    appDir,
    port: 0,
    host: '127.0.0.1',
    env: {},
    preloads: [],
    pathAliases: {},
    watch: false,
    inspect: undefined,
    logger: silentLogger,
    clock: systemClock,
    output: () => undefined,
    ...options,
  };
}

/** Opens the dev host on an app's folder. */
export async function openTestApp(
  appDir: string,
  options: Partial<DevHostOptions> = {},
): Promise<TestApp> {
  const lines = new Lines();
  const output = (line: string): void => {
    lines.add(line);
  };
  return { host: await openDevHost(testOptions(appDir, { output, ...options })), lines };
}

/** An app made for one test, in a folder from which packages resolve. */
export class TempApp {
  readonly dir: string;

  constructor(files: Readonly<Record<string, string>>) {
    const parent = fileURLToPath(new URL('../../.tmp', import.meta.url));
    mkdirSync(parent, { recursive: true });
    this.dir = mkdtempSync(join(parent, 'app-'));
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  write(name: string, text: string): void {
    const file = join(this.dir, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  remove(): void {
    rmSync(this.dir, { recursive: true });
  }
}

/** host.json and package.json of an app in CommonJS whose code is in `index.js`. */
export const PLAIN_APP = {
  'host.json': '{"version": "2.0"}',
  'package.json': '{"main": "index.js"}',
} as const;

/** Lines printed so far, and those to come. */
export class Lines {
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();

  add(line: string): void {
    this.#lines.push(line);
    for (const check of this.#waiting) check();
  }

  get text(): string {
    return this.#lines.join('\n');
  }

  /** The first line that matches, now or later; fails after 10 s. */
  async next(pattern: RegExp): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const check = (): void => {
      const line = this.#lines.find((each) => pattern.test(each));
      if (line !== undefined) resolve(line);
    };
    this.#waiting.add(check);
    check();
    try {
      return await within(promise, () => `no line matches ${String(pattern)} in:\n${this.text}`);
    } finally {
      this.#waiting.delete(check);
    }
  }
}

/** The promise's value; fails with `message` when it takes longer than 10 s. */
export async function within<T>(promise: Promise<T>, message: () => string): Promise<T> {
  const stop = new AbortController();
  const late = systemClock
    .sleepUntil(systemClock.now() + 10_000, { signal: stop.signal })
    .then(() => assert.fail(message()));
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}

/** The real clock, but waits take only a part of their time; its speed can be changed. */
export class FastClock implements Clock {
  times: number;

  constructor(times: number) {
    this.times = times;
  }

  now(): number {
    return systemClock.now();
  }

  sleepUntil(atMs: number, options: { readonly signal: AbortSignal }): Promise<void> {
    const now = this.now();
    return systemClock.sleepUntil(now + (atMs - now) / this.times, options);
  }
}
