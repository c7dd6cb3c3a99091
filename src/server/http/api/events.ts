/**
 * Live updates as server-sent events. The store is the truth: a stream looks at it once a second and says what changed,
 * so that it does not matter which node did it, and a page that missed something asks for what it shows now.
 */
import { z } from 'zod';
import type { Clock } from '../../../base/clock.ts';
import { TaskHubError } from '../../../core/errors.ts';
import { admissionOf } from '../admission.ts';
import type { HttpAppOptions, HttpRoute } from '../http-app.ts';
import { summaryJson } from './hubs.ts';
import { api } from './route.ts';
import { rowJson } from './row-json.ts';
import { logEvent } from '../../../telemetry/log-events.ts';

/** How often a stream looks, in ms. */
const LOOK_MS = 1000;
const PING_MS = 15_000;
/** Instances that one stream watches. */
const WATCHED_MAX = 200;
/** Streams on one node; each looks once a second. */
const STREAMS_MAX = 200;
/** Bytes that may wait for a slow reader before its stream is ended. */
const BUFFERED_MAX = 256 * 1024;

const query = z.strictObject({
  watch: z
    .union([z.string(), z.array(z.string())])
    .transform((ids) => (typeof ids === 'string' ? [ids] : ids))
    .refine((ids) => ids.length <= WATCHED_MAX, `at most ${WATCHED_MAX} instances`)
    .optional()
    .describe('Instances to watch, by id'),
});

export const EVENT_ROUTES: readonly HttpRoute[] = [
  api({
    method: 'GET',
    path: '/hubs/:hub/events',
    permission: 'read',
    summary:
      'Server-sent events: hello, summary, instances (rows that changed, ids that are gone), ping, bye',
    query,
    handle: ({ options, context, hub, query: { watch = [] } }) => {
      const admission = admissionOf(context);
      // A look is as good as a call of its own: the role may be gone, the token out of date.
      const mayLook = (): boolean =>
        admission === undefined ||
        (options.clock.now() < admission.caller.expiresAt && admission.permits('read', hub));
      return openStream({ options, hub, watch, mayLook });
    },
  }),
];

/** Open streams by app: tests have several apps in one process. */
const openStreams = new WeakMap<object, number>();

function openStream(view: View): Response {
  const { draining } = view.options;
  const count = openStreams.get(draining) ?? 0;
  if (draining.aborted) throw new TaskHubError('UNAVAILABLE', 'the scheduler is shutting down');
  if (count >= STREAMS_MAX) {
    throw new TaskHubError('RESOURCE_EXHAUSTED', `${count} live views are open; poll instead`);
  }
  openStreams.set(draining, count + 1);
  const gone = new AbortController();
  const signal = AbortSignal.any([gone.signal, draining]);
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const feed = new Feed({ ...view, signal, controller });
        void feed.run().finally(() => {
          openStreams.set(draining, (openStreams.get(draining) ?? 1) - 1);
        });
      },
      cancel() {
        gone.abort(new Error('the reader went away'));
      },
    },
    { highWaterMark: BUFFERED_MAX, size: (chunk) => chunk.byteLength },
  );
  return new Response(body, {
    headers: { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' },
  });
}

interface View {
  readonly options: HttpAppOptions;
  readonly hub: string;
  readonly watch: readonly string[];
  /** False once the stream must end: its caller signs in again, or is told that they may not. */
  readonly mayLook: () => boolean;
}

interface FeedOptions extends View {
  readonly signal: AbortSignal;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
}

const encoder = new TextEncoder();

class Feed {
  readonly #feed: FeedOptions;
  readonly #clock: Clock;
  readonly #revisions = new Map<string, string>();
  #summary = '';
  #sentAt = 0;
  #isFirst = true;

  constructor(feed: FeedOptions) {
    this.#feed = feed;
    this.#clock = feed.options.clock;
  }

  async run(): Promise<void> {
    const { signal, options, mayLook } = this.#feed;
    this.#send('hello', { now: this.#clock.now(), lookMs: LOOK_MS });
    try {
      while (!signal.aborted && mayLook()) {
        await this.#look();
        if (this.#clock.now() - this.#sentAt >= PING_MS) this.#send('ping', {});
        await this.#clock.sleepUntil(this.#clock.now() + LOOK_MS, { signal });
      }
    } catch (error) {
      if (!signal.aborted) logEvent(options.logger, 'liveViewFailed', { error });
    }
    this.#end();
  }

  async #look(): Promise<void> {
    const { options, hub, watch } = this.#feed;
    const summary = await summaryJson(options, hub);
    const text = JSON.stringify({ ...summary, asOf: '' });
    if (text !== this.#summary) this.#send('summary', summary);
    this.#summary = text;
    if (watch.length > 0) await this.#lookAtInstances();
    this.#isFirst = false;
  }

  async #lookAtInstances(): Promise<void> {
    const { options, hub, watch } = this.#feed;
    const rows = await options.engine.inspector.stored.rowsById(hub, watch);
    const found = new Set(rows.map(({ instanceId }) => instanceId));
    const changed = rows.filter(({ instanceId, revision }) => {
      const known = this.#revisions.get(instanceId);
      this.#revisions.set(instanceId, revision);
      return known !== revision;
    });
    const gone = [...this.#revisions.keys()].filter((id) => !found.has(id));
    for (const id of gone) this.#revisions.delete(id);
    if (changed.length + gone.length > 0 || this.#isFirst) {
      this.#send('instances', { changed: changed.map(rowJson), gone });
    }
  }

  #send(event: string, data: object): void {
    const { controller, signal } = this.#feed;
    if (signal.aborted) return;
    if ((controller.desiredSize ?? 0) < 0) throw new Error('the reader is too slow');
    this.#sentAt = this.#clock.now();
    const now = this.#clock.now();
    controller.enqueue(
      encoder.encode(`event: ${event}\ndata: ${JSON.stringify({ now, ...data })}\n\n`),
    );
  }

  #end(): void {
    const { controller, options } = this.#feed;
    try {
      if (options.draining.aborted) {
        controller.enqueue(encoder.encode('event: bye\ndata: {"reason":"drain"}\n\n'));
      }
      controller.close();
    } catch {
      // The reader went away first: there is nobody to tell.
    }
  }
}
