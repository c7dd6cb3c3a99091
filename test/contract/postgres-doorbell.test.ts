import assert from 'node:assert/strict';
import { create, fromBinary } from '@bufbuild/protobuf';
import { systemClock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import {
  CreateInstanceRequestSchema,
  GetWorkItemsRequestSchema,
  OrchestrationStatus,
  OrchestratorResponseSchema,
  WorkItemSchema,
  type WorkItem,
} from '../../src/proto/orchestrator_service_pb.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../src/scheduler/settings.ts';
import { openStore } from '../../src/storage/open-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { complete } from '../support/actions.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { PostgresSchema, sharedPostgres, stopSharedPostgres } from '../support/postgres.ts';

const HUB = 'default';
const never = new AbortController().signal;

interface Node {
  readonly store: Store;
  readonly scheduler: Scheduler;
}

/** Schedulers whose clock only tests move: while it stands still, nobody looks but who hears a ring. */
class Deployment implements AsyncDisposable {
  /** Ahead of the clock that stores are opened with. */
  readonly clock = new ManualClock(systemClock.now() + 10_000);
  readonly schema: PostgresSchema;
  readonly #nodes: Node[] = [];

  constructor(schema: PostgresSchema) {
    this.schema = schema;
  }

  async join(): Promise<Node> {
    const common = { ids: systemIds, logger: silentLogger };
    const storage = this.schema.url;
    const store = await openStore({ ...common, storage, clock: systemClock });
    // It is told once that it may have missed something: from then on it hears, and can ring.
    await store.doorbell?.rung({ signal: AbortSignal.timeout(8000) });
    const settings = { ...DEFAULT_SCHEDULER_SETTINGS, drainMs: 0 };
    const scheduler = await Scheduler.open({ ...common, store, clock: this.clock, settings });
    const node = { store, scheduler };
    this.#nodes.push(node);
    return node;
  }

  /** All know of each other. */
  async meet(): Promise<void> {
    this.clock.advance(1000);
    for (const { store } of this.#nodes) {
      await store.exchange({ now: this.clock.now(), commits: [], takers: [] });
    }
  }

  async untilListening(count: number): Promise<void> {
    await this.#asking(async (ask) => {
      const listeners = `select count(*)::int as n from pg_stat_activity where ${DOORBELL} and query ~ '^(listen|notify)'`;
      const deadline = performance.now() + 10_000;
      while ((await ask(listeners)) !== count) {
        assert.ok(performance.now() < deadline, `never were ${count} that listened`);
      }
    });
  }

  /** Resets the connections that hear, and waits until they are gone; the answer says how many there were. */
  cut(): Promise<number> {
    return this.#asking(async (ask) => {
      const count = await ask(
        `select count(pg_terminate_backend(pid))::int as n from pg_stat_activity where ${DOORBELL}`,
      );
      const before = await ask('select extract(epoch from clock_timestamp())::float8 as n');
      const old = `select count(*)::int as n from pg_stat_activity where ${DOORBELL} and extract(epoch from backend_start) < ${before}`;
      const deadline = performance.now() + 10_000;
      while ((await ask(old)) > 0) {
        assert.ok(performance.now() < deadline, 'the connections were never gone');
      }
      return count;
    });
  }

  async #asking<T>(work: (ask: (sql: string) => Promise<number>) => Promise<T>): Promise<T> {
    const client = await this.schema.connect();
    try {
      return await work(async (sql) => {
        const { rows } = await client.query<{ n: number }>(sql);
        return rows[0]?.n ?? 0;
      });
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { scheduler, store } of this.#nodes) {
      await scheduler.close();
      await store.close();
    }
    await this.schema[Symbol.asyncDispose]();
  }
}

const DOORBELL = `application_name = 'durabletask doorbell'`;

/** A worker with one place whose stream is at one scheduler and whose completions go to another. */
function work({ at, through }: { readonly at: Node; readonly through: Node }): void {
  const answer = async ({ completionToken }: WorkItem): Promise<void> => {
    const actions = [complete('"done"')];
    const response = create(OrchestratorResponseSchema, { completionToken, actions });
    await through.scheduler.completeOrchestration(HUB, response);
  };
  const stream = at.scheduler.openWorkerStream(HUB, {
    request: create(GetWorkItemsRequestSchema, { maxConcurrentOrchestrationWorkItems: 1 }),
    ...{ workerId: undefined, userAgent: undefined, isSticky: false },
    sink: {
      isBlocked: false,
      onDrain: () => undefined,
      push: (bytes) => {
        const item = fromBinary(WorkItemSchema, bytes);
        if (item.request.case === 'orchestratorRequest') void answer(item);
      },
      end: () => {
        stream.close();
      },
    },
  });
}

async function start({ scheduler }: Node, instanceId: string): Promise<void> {
  const request = create(CreateInstanceRequestSchema, { instanceId, name: 'O' });
  await scheduler.startInstance(HUB, request);
}

async function end({ scheduler }: Node, instanceId: string): Promise<unknown> {
  const options = {
    until: 'completed',
    payloads: false,
    signal: AbortSignal.timeout(8000),
  } as const;
  const state = await scheduler.waitForInstance(HUB, instanceId, options);
  return state?.orchestrationStatus;
}

describe('schedulers that ring at each other', function () {
  this.timeout(20_000);
  let deployment: Deployment;
  let a: Node;
  let b: Node;

  before(() => sharedPostgres());
  after(stopSharedPostgres);
  beforeEach(async () => {
    deployment = new Deployment(await PostgresSchema.create());
    a = await deployment.join();
    await a.scheduler.createTaskHub(HUB, { recreate: false });
    b = await deployment.join();
    await deployment.meet();
  });
  afterEach(() => deployment[Symbol.asyncDispose]());

  it('hand out at once what was started at another, and tell a third of its end', async () => {
    const c = await deployment.join();
    await deployment.meet();
    work({ at: b, through: b });
    await start(a, 'x');
    assert.equal(await end(c, 'x'), OrchestrationStatus.COMPLETED);
  });

  it('know at once that a place is free whose item was completed at another', async () => {
    work({ at: a, through: b });
    const ids = Array.from({ length: 5 }, (_, n) => `id-${n}`);
    for (const id of ids) await start(a, id);
    for (const id of ids) assert.equal(await end(a, id), OrchestrationStatus.COMPLETED);
  });

  it('serve at once a task hub that was made at another', async () => {
    await a.scheduler.createTaskHub('later', { recreate: false });
    const deadline = performance.now() + 8000;
    while (!b.scheduler.taskHubs().includes('later')) {
      assert.ok(performance.now() < deadline, 'b never learnt of the hub');
      await b.store.taskHubs();
      await new Promise(setImmediate);
    }
  });

  it('do not hear themselves', async () => {
    const store = await openStore({
      ...{ storage: deployment.schema.url, clock: systemClock, ids: systemIds },
      logger: silentLogger,
    });
    try {
      // All that listen are told once that they may have missed something.
      await store.doorbell?.rung({ signal: never });
      store.doorbell?.ring();
      const soon = AbortSignal.timeout(50);
      await assert.rejects(async () => store.doorbell?.rung({ signal: soon }), {
        name: 'TimeoutError',
      });
    } finally {
      await store.close();
    }
  });

  it('lose a second, and nothing else, while they hear nothing', async () => {
    work({ at: b, through: b });
    assert.equal(await deployment.cut(), 2);
    await start(a, 'x');
    const ended = end(a, 'x');
    // Both look for themselves: b for work, a for the end.
    const soon = setInterval(() => deployment.clock.advance(1000), 20);
    try {
      assert.equal(await ended, OrchestrationStatus.COMPLETED);
    } finally {
      clearInterval(soon);
    }
  });

  it('hear again after their connections were cut', async () => {
    work({ at: b, through: b });
    for (let time = 0; time < 3; time += 1) {
      await deployment.untilListening(2);
      assert.equal(await deployment.cut(), 2);
    }
    await start(a, 'x');
    // Whoever listens again is not known to the moment: both ring until they are heard.
    const ringing = setInterval(() => {
      for (const { store } of [a, b]) store.doorbell?.ring();
    }, 20);
    try {
      assert.equal(await end(a, 'x'), OrchestrationStatus.COMPLETED);
    } finally {
      clearInterval(ringing);
    }
  });
});
