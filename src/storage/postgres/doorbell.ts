/**
 * `LISTEN` and `NOTIFY`: nodes tell each other to look now. A hint and nothing else: each node looks every second
 * anyway. One connection of its own hears and rings; while it is away rings are lost, and nobody misses them for long.
 */
import { Client } from 'pg';
import { isAbort, untilAborted } from '../../base/abort.ts';
import { backoffMs } from '../../base/backoff.ts';
import type { Clock } from '../../base/clock.ts';
import type { IdSource } from '../../base/ids.ts';
import type { PostgresLimits } from '../../core/postgres-limits.ts';
import { logEvent } from '../../telemetry/log-events.ts';
import { describeError, type Logger } from '../../telemetry/logger.ts';
import type { Doorbell } from '../store.ts';
import { connectionConfig, sessionSetup, type PostgresSettings } from './settings.ts';

export interface DoorbellOptions {
  readonly settings: PostgresSettings;
  readonly limits: PostgresLimits;
  readonly clock: Clock;
  readonly ids: Pick<IdSource, 'random'>;
  readonly logger: Logger;
}

/** Rings within this time become one, in ms. */
const GAP_MS = 10;
/** How often a silent connection is asked whether it is still there, in ms, and how long it may take to answer. */
const PULSE_MS = 15_000;
const ANSWER_MAX_MS = 5000;
const BACKOFF = { firstMs: 100, maxMs: 30_000, factor: 2 } as const;

/** Nodes of one deployment share a schema; a name that two share costs a look too many. */
const OPEN = `select pg_backend_pid() as pid, 'durabletask_' || md5(coalesce(current_schema(), '')) as channel`;

/** A connection that hears. */
interface Line {
  readonly client: Client;
  readonly channel: string;
}

export class PostgresDoorbell implements Doorbell {
  readonly #options: DoorbellOptions;
  readonly #closing = new AbortController();
  #line: Line | undefined;
  #wasRung = false;
  #onRung: () => void = () => undefined;
  #isDue = false;
  #sending: Promise<void> | undefined;
  readonly #listening: Promise<void>;

  /** Connects in the background, again and again. */
  constructor(options: DoorbellOptions) {
    this.#options = options;
    this.#listening = this.#listen();
  }

  ring(): void {
    this.#isDue = true;
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
  }

  async rung({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    while (!this.#wasRung) {
      signal.throwIfAborted();
      const heard = new Promise<void>((resolve) => {
        this.#onRung = resolve;
      });
      await untilAborted(heard, signal);
    }
    this.#wasRung = false;
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the store is closed'));
    await this.#listening;
    await this.#sending;
  }

  async #send(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#closing;
    while (this.#isDue && this.#line) {
      this.#isDue = false;
      const { client, channel } = this.#line;
      // Whether it arrives is nobody's concern; that the connection is gone, the listener notices.
      await client.query(`notify ${channel}`).catch(() => undefined);
      await clock.sleepUntil(clock.now() + GAP_MS, { signal }).catch(() => undefined);
    }
  }

  #hear(): void {
    this.#wasRung = true;
    this.#onRung();
  }

  async #listen(): Promise<void> {
    const { clock, ids, logger } = this.#options;
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted) {
      try {
        await this.#hold(() => {
          failures = 0;
        });
      } catch (error) {
        if (isAbort(error, signal)) return;
        failures += 1;
        // Once for each outage.
        if (failures === 1) {
          logEvent(logger, 'doorbellAway', { error: describeError(error) });
        }
        const at = clock.now() + backoffMs(failures, BACKOFF, ids.random);
        await clock.sleepUntil(at, { signal }).catch(() => undefined);
      }
    }
  }

  /** Connects and listens until the connection is lost or the doorbell closes, both of which throw. */
  async #hold(onConnected: () => void): Promise<never> {
    const { settings, limits, clock } = this.#options;
    const { signal } = this.#closing;
    const client = new Client({
      ...connectionConfig(settings, { role: 'doorbell', limits }),
      query_timeout: ANSWER_MAX_MS,
    });
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => undefined);
    client.on('error', lost.reject);
    client.on('end', () => {
      lost.reject(new Error('the connection was closed'));
    });
    try {
      this.#line = await this.#connect(client);
      onConnected();
      // Whatever was rung while nobody listened.
      this.#hear();
      for (;;) {
        await Promise.race([clock.sleepUntil(clock.now() + PULSE_MS, { signal }), lost.promise]);
        await client.query('select 1');
      }
    } finally {
      this.#line = undefined;
      client.connection.stream.destroy();
    }
  }

  async #connect(client: Client): Promise<Line> {
    const { settings, limits } = this.#options;
    await client.connect();
    this.#closing.signal.throwIfAborted();
    await client.query(sessionSetup(settings, { role: 'doorbell', limits }));
    const { rows } = await client.query<{ pid: number; channel: string }>(OPEN);
    const { pid, channel = '' } = rows[0] ?? {};
    client.on('notification', ({ processId }) => {
      if (processId !== pid) this.#hear();
    });
    await client.query(`listen ${channel}`);
    return { client, channel };
  }
}
