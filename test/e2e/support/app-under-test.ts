import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../src/base/clock.ts';
import { openDevHost } from '../../../src/devhost/dev-host.ts';
import type { DevHost } from '../../../src/devhost/dev-host.ts';
import type { RunningScheduler } from '../../../src/server/index.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';

/** For signed links, in apps that are to hand them out. */
export const EXAMPLE_SECRET = 'a secret of thirty-two characters';
const REGISTER = new URL('../../../src/register/register.ts', import.meta.url).href;

export interface Links {
  readonly id: string;
  readonly statusQueryGetUri: string;
  readonly sendEventPostUri: string;
  readonly terminatePostUri: string;
  readonly rewindPostUri: string;
  readonly purgeHistoryDeleteUri: string;
  readonly restartPostUri: string;
  readonly suspendPostUri: string;
  readonly resumePostUri: string;
}

export interface Status {
  readonly name: string;
  readonly runtimeStatus: string;
  readonly output: unknown;
  readonly customStatus: unknown;
}

/** The folder of an app in `test/e2e/apps`. */
export function appDirOf(name: string): string {
  return fileURLToPath(new URL(`../apps/${name}`, import.meta.url));
}

/** An app on the dev host, with the preload, in the task hub `taskHub`. */
export class AppUnderTest {
  readonly output: string[] = [];
  #host: DevHost | undefined;

  async open(
    taskHub: string,
    scheduler: Pick<RunningScheduler, 'grpcEndpoint'>,
    options: { readonly appDir?: string; readonly env?: Readonly<Record<string, string>> } = {},
  ): Promise<void> {
    this.#host = await openDevHost({
      appDir: options.appDir ?? appDirOf(taskHub),
      port: 0,
      host: '127.0.0.1',
      env: {
        TASKHUB_NAME: taskHub,
        DURABLE_TASK_SCHEDULER_CONNECTION_STRING: `Endpoint=${scheduler.grpcEndpoint};TaskHub=unused;Authentication=None`,
        ...options.env,
      },
      preloads: [REGISTER],
      pathAliases: { '/runtime/webhooks/durabletask': '/api/durabletask' },
      watch: false,
      inspect: undefined,
      logger: silentLogger,
      clock: systemClock,
      output: (line) => this.output.push(line),
    });
  }

  get url(): string {
    return this.#host?.url ?? '';
  }

  get functionNames(): string[] {
    return (this.#host?.functions ?? []).map(({ name }) => name);
  }

  get errors(): unknown[] {
    return (this.#host?.functions ?? []).filter(({ error }) => error !== undefined);
  }

  /** Calls the app's own starter function. */
  async start(path: string, body?: unknown): Promise<Links> {
    const init = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${this.url}/api/${path}`, { method: 'POST', ...init });
    assert.equal(response.status, 202, this.output.join('\n'));
    return (await response.json()) as Links;
  }

  /** What the pattern's group matches in the first line that it fits, now or within ten seconds. */
  async lineWith(pattern: RegExp): Promise<string> {
    const deadlineAt = systemClock.now() + 10_000;
    const { signal } = new AbortController();
    for (;;) {
      const found = this.output.map((line) => pattern.exec(line)?.[1]).find((text) => text);
      if (found !== undefined) return found;
      assert.ok(systemClock.now() < deadlineAt, this.output.join('\n'));
      await systemClock.sleepUntil(systemClock.now() + 20, { signal });
    }
  }

  async close(): Promise<void> {
    await this.#host?.close();
  }
}

/** Asks until the status is as wanted, for at most ten seconds. */
export async function until(
  links: Pick<Links, 'statusQueryGetUri'>,
  isWanted: (status: Status) => boolean,
): Promise<Status> {
  const deadlineAt = systemClock.now() + 10_000;
  for (;;) {
    const response = await fetch(links.statusQueryGetUri);
    const text = await response.text();
    const status = (text === '' ? {} : JSON.parse(text)) as Status;
    if (isWanted(status) || systemClock.now() > deadlineAt) return status;
    await systemClock.sleepUntil(systemClock.now() + 20, { signal: new AbortController().signal });
  }
}

export function hasStatus(name: string): (status: Status) => boolean {
  return ({ runtimeStatus }) => runtimeStatus === name;
}

/** Posts to a link, with `because` as its reason; returns the status. */
export async function post(link: string, body?: unknown): Promise<number> {
  const init =
    body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(link.replace('{text}', 'because'), { method: 'POST', ...init });
  return response.status;
}
