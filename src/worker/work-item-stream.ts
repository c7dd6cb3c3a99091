import type { MessageInitShape } from '@bufbuild/protobuf';
import type { BackoffOptions } from '../base/backoff.ts';
import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import type { Connection } from '../client/connection.ts';
import { TaskHubError } from '../core/errors.ts';
import type { GetWorkItemsRequestSchema, WorkItem } from '../proto/orchestrator_service_pb.ts';
import { TaskHubSidecarService } from '../proto/orchestrator_service_pb.ts';
import { logEvent } from '../telemetry/log-events.ts';
import { recordMetric } from '../telemetry/recorded-metrics.ts';
import type { Logger } from '../telemetry/logger.ts';

const rpc = TaskHubSidecarService.method;

export interface WorkItemStreamOptions {
  readonly connection: Connection;
  readonly request: MessageInitShape<typeof GetWorkItemsRequestSchema>;
  /** True when the worker keeps orchestrations in memory: their history may be left out. */
  readonly isSticky: boolean;
  /** Called for every work item and health ping, in order. Must not throw. */
  readonly onWorkItem: (item: WorkItem) => void;
  /** A stream without a message for so long is dead, whatever its socket says. */
  readonly silentLimitMs: number;
  /** Of the metrics; not known of a connection that the caller made. */
  readonly taskHub: string | undefined;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
}

/** Asks a scheduler that knows it to send an orchestration back to us, without its history. */
const STICKY = { 'x-durabletask-sticky': '1' };
/** How long a scheduler may take to answer the greeting that checks hub and credentials. */
const HELLO_TIMEOUT_MS = 30_000;
const RECONNECT_BACKOFF: BackoffOptions = { firstMs: 250, maxMs: 5_000, factor: 2 };
/** After so many failures in a row the transport itself is no longer trusted. */
const FAILURES_BEFORE_RENEWAL = 3;

/**
 * Keeps a stream of work items open: greets, listens, and comes back with growing, jittered
 * delays whenever the stream ends, fails or falls silent. A lost connection is normal: the first
 * loss is a warning, further attempts are only worth a debug line.
 */
export class WorkItemStream {
  readonly #options: WorkItemStreamOptions;
  #isConnected = false;
  #lastMessageAt = 0;
  /** Lives in a row that ended before their first message. */
  #failures = 0;
  #onConnected = Promise.withResolvers<undefined>();
  #isLast = false;

  constructor(options: WorkItemStreamOptions) {
    this.#options = options;
  }

  /** True from the first message of a stream until it ends. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Resolves at the next first message of a stream; at once while there is one. */
  connected(): Promise<undefined> {
    return this.#onConnected.promise;
  }

  /** Resolves, and never rejects, after the signal has aborted, or when the stream that is to be the last one ends. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    while (!signal.aborted && !this.#isLast) await this.#liveAndRest(signal);
  }

  /** No further stream is opened. */
  makeLast(): void {
    this.#isLast = true;
  }

  /** One life, and the delay before the next. */
  async #liveAndRest(signal: AbortSignal): Promise<void> {
    const { clock, ids, connection } = this.#options;
    const outcome = await this.#live(signal);
    if (signal.aborted || this.#isLast) return;
    this.#failures += 1;
    this.#report(outcome);
    if (this.#failures % FAILURES_BEFORE_RENEWAL === 0 || outcome instanceof SilentStreamError) {
      connection.renew();
    }
    const delayMs = backoffMs(this.#failures, RECONNECT_BACKOFF, () => ids.random());
    // Ends early only because of the signal, which the loop looks at.
    await clock.sleepUntil(clock.now() + delayMs, { signal }).catch(() => undefined);
  }

  /** One life of the stream. Returns why it ended: an error, or `undefined` for a proper end. */
  async #live(signal: AbortSignal): Promise<unknown> {
    const { connection, request, isSticky, clock } = this.#options;
    const ended = new AbortController();
    const life = AbortSignal.any([signal, ended.signal]);
    let watch: Promise<void> | undefined;
    try {
      await connection.unary(rpc.hello, {}, { signal, timeoutMs: HELLO_TIMEOUT_MS });
      this.#lastMessageAt = clock.now();
      watch = this.#watchSilence(ended, life);
      for await (const item of connection.serverStream(rpc.getWorkItems, request, {
        signal: life,
        ...(isSticky && { metadata: STICKY }),
      })) {
        this.#lastMessageAt = clock.now();
        if (!this.#isConnected) this.#markConnected();
        this.#options.onWorkItem(item);
      }
      return undefined;
    } catch (error) {
      return error;
    } finally {
      ended.abort();
      await watch;
      this.#markDisconnected();
    }
  }

  /** One sleeper for the whole stream, however many messages pass. */
  async #watchSilence(ended: AbortController, life: AbortSignal): Promise<void> {
    const { clock, silentLimitMs } = this.#options;
    while (!life.aborted) {
      const dueAt = this.#lastMessageAt + silentLimitMs;
      if (clock.now() >= dueAt) {
        ended.abort(new SilentStreamError(silentLimitMs));
        return;
      }
      // Ends early only because of the signal, which the loop looks at.
      await clock.sleepUntil(dueAt, { signal: life }).catch(() => undefined);
    }
  }

  #markConnected(): void {
    this.#isConnected = true;
    this.#failures = 0;
    this.#onConnected.resolve(undefined);
    logEvent(this.#options.logger, 'workerConnected');
  }

  #markDisconnected(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.#onConnected = Promise.withResolvers<undefined>();
  }

  #report(outcome: unknown): void {
    const { logger, taskHub } = this.#options;
    const fields = {
      attempt: this.#failures,
      ...(outcome instanceof TaskHubError && { code: outcome.code }),
      ...(outcome === undefined
        ? { reason: 'the scheduler ended the stream' }
        : { error: outcome }),
    };
    if (this.#failures > 1) {
      logEvent(logger, 'schedulerOutOfReach', fields);
      return;
    }
    logEvent(logger, 'connectionLost', fields);
    recordMetric('connectionsLost', 1, taskHub === undefined ? {} : { task_hub: taskHub });
  }
}

/** No message, not even a health ping, for longer than the limit. */
class SilentStreamError extends Error {
  override readonly name = 'SilentStreamError';

  constructor(limitMs: number) {
    super(`the work item stream was silent for ${limitMs} ms`);
  }
}
