import assert from 'node:assert/strict';
import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import {
  ActivityRequestSchema,
  GetWorkItemsRequestSchema,
  WorkItemSchema,
} from '../../src/proto/orchestrator_service_pb.ts';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../src/scheduler/settings.ts';
import type { WorkItemSink } from '../../src/scheduler/worker-stream.ts';
import { Workers, type ConnectOptions } from '../../src/scheduler/workers.ts';
import type { Claimed, ReleaseCommit } from '../../src/storage/store.ts';
import { stateMemoryOf } from '../../src/wire/state-memory.ts';
import { ManualClock } from '../support/manual-clock.ts';

class FakeSink implements WorkItemSink {
  readonly pushed: Uint8Array[] = [];
  isBlocked = false;
  isEnded = false;
  drained: () => void = () => undefined;

  push(workItem: Uint8Array): void {
    this.pushed.push(workItem);
  }

  onDrain(callback: () => void): void {
    this.drained = callback;
  }

  end(): void {
    this.isEnded = true;
  }

  get tokens(): string[] {
    return this.pushed.map((bytes) => fromBinary(WorkItemSchema, bytes).completionToken);
  }
}

type RequestInit = Omit<MessageInitShape<typeof GetWorkItemsRequestSchema>, '$typeName'>;

function openWorkers() {
  const clock = new ManualClock();
  const released: ReleaseCommit[] = [];
  let rooms = 0;
  const workers = new Workers({
    clock,
    settings: DEFAULT_SCHEDULER_SETTINGS,
    onRoom: () => {
      rooms += 1;
    },
    release: (commits) => released.push(...commits),
  });
  const connect = (init: RequestInit = {}, hub = 'h', traits: Partial<ConnectOptions> = {}) => {
    const sink = new FakeSink();
    const request = create(GetWorkItemsRequestSchema, init);
    const stream = workers.connect({
      hub,
      request,
      workerId: 'w',
      userAgent: 'ua',
      isSticky: false,
      ...traits,
      sink,
    });
    return { sink, stream };
  };
  return { workers, clock, released, connect, rooms: () => rooms };
}

function activity(token: string, taker = 1): Claimed {
  const request = new Uint8Array();
  return { kind: 'activity', taker, hub: 'h', token, request, key: token, attempts: 0 };
}

function orchestration(token: string, taker = 1): Claimed {
  return {
    kind: 'orchestration',
    taker,
    hub: 'h',
    token,
    instanceId: 'a',
    executionId: 'e',
    history: [],
    historyMode: 'inline',
    key: token,
    memory: { before: undefined, after: token },
    newEvents: [],
    traceContext: undefined,
    attempts: 0,
  };
}

function entity(token: string, names: readonly [string, string], isStateCached = false): Claimed {
  const [before, after] = names;
  return {
    kind: 'entity',
    taker: 1,
    hub: 'h',
    token,
    instanceId: '@a@1',
    executionId: 'e',
    state: isStateCached ? undefined : new TextEncoder().encode('1'),
    isStateCached,
    operations: [],
    key: 'e',
    memory: { before, after },
    attempts: 0,
  };
}

describe('states of entities that a worker has in memory', () => {
  function open(traits: Partial<ConnectOptions>) {
    const { workers, connect } = openWorkers();
    const { sink } = connect({}, 'h', traits);
    const knows = (name: string): boolean =>
      workers.takers().some(({ kind, caches }) => kind === 'entity' && caches.has(name));
    const requests = () =>
      sink.pushed.map((bytes) => {
        const { request } = fromBinary(WorkItemSchema, bytes);
        if (request.case !== 'entityRequestV2') return request.case;
        const { entityState } = request.value;
        return { ...stateMemoryOf(request.value), entityState };
      });
    return { workers, knows, requests };
  }

  it('are named to a worker that keeps them, and left out once it does', () => {
    const { workers, knows, requests } = open({ isSticky: true });
    workers.handOut([entity('t1', ['n0', 'n1'])]);
    workers.settle('t1', 'completed');
    assert.equal(knows('n1'), true);
    workers.handOut([entity('t2', ['n1', 'n2'], true)]);

    assert.deepEqual(requests(), [
      { next: 'n1', leftOut: undefined, entityState: '1' },
      { next: 'n2', leftOut: 'n1', entityState: undefined },
    ]);
  });

  it('are not relied on when the worker forgot, gave back, or was refused', () => {
    const { workers, knows } = open({ isSticky: true });
    workers.handOut([entity('t1', ['n0', 'n1']), entity('t2', ['m0', 'm1'])]);
    workers.settle('t1', 'forgot');
    workers.settle('t2', 'gaveBack');
    workers.handOut([entity('t3', ['n0', 'n2'])]);
    workers.settle('t3', 'completed')?.disown();

    assert.deepEqual([knows('n1'), knows('m1'), knows('n2')], [false, false, false]);
  });

  it('travel without a name to all other workers', () => {
    for (const traits of [{}, { isSticky: true, takesEntityBatches: true }]) {
      const { workers, knows, requests } = open(traits);
      workers.handOut([entity('t1', ['n0', 'n1'])]);
      workers.settle('t1', 'completed');

      assert.equal(knows('n1'), false);
      const [request] = requests();
      const isSecond = typeof request === 'object';
      assert.deepEqual(request, isSecond ? { entityState: '1' } : 'entityRequest');
    }
  });
});

describe('a worker whose stream expires', () => {
  it('has what it held in its hands when it comes back, and nothing is handed out twice', () => {
    const { workers, clock, released, connect } = openWorkers();
    const first = connect({ maxConcurrentActivityWorkItems: 2 });
    workers.handOut([activity('a')]);

    first.stream.expire();
    assert.deepEqual(workers.takers(), []);
    clock.advance(30_000);
    connect({ maxConcurrentActivityWorkItems: 2 });

    const credit = workers.takers().find(({ kind }) => kind === 'activity')?.credit;
    assert.equal(credit, 1);
    clock.advance(60_000);
    workers.takers();
    assert.deepEqual(released, []);
    workers.settle('a', 'completed');
    assert.equal(workers.held, 0);
  });

  it('loses it like any other when it does not come back', () => {
    const { workers, clock, released, connect } = openWorkers();
    const first = connect();
    workers.handOut([activity('a')]);

    first.stream.expire();
    clock.advance(44_999);
    workers.takers();
    assert.deepEqual(released, []);
    clock.advance(1);
    workers.takers();

    assert.deepEqual(
      released.map(({ token }) => token),
      ['a'],
    );
  });

  it('leaves nothing to others of another name or hub', () => {
    const { workers, released, connect } = openWorkers();
    const first = connect();
    workers.handOut([activity('a')]);
    first.stream.expire();

    connect({}, 'other').stream.close();

    assert.deepEqual(released, []);
    assert.equal(workers.held, 1);
  });
});

describe('workers', () => {
  it('have the room that they ask for, the default for 0, and never more than the bound', () => {
    const { workers, connect } = openWorkers();
    connect({ maxConcurrentOrchestrationWorkItems: 3, maxConcurrentActivityWorkItems: 999_999 });
    connect();
    const credits = workers.takers().map(({ id, kind, credit }) => `${id} ${kind} ${credit}`);
    assert.deepEqual(credits.sort(), [
      '1 activity 1000',
      '1 entity 100',
      '1 orchestration 3',
      '2 activity 100',
      '2 entity 100',
      '2 orchestration 100',
    ]);
  });

  it('offer nothing beside an item whose workers were lost, until it is settled', () => {
    const { workers, connect } = openWorkers();
    connect();
    connect();
    workers.handOut([{ ...activity('suspect'), attempts: 2 }, activity('other', 2)]);
    const ids = (): number[] => [...new Set(workers.takers().map(({ id }) => id))].sort();
    assert.deepEqual(ids(), [2]);
    workers.settle('suspect', 'completed');
    assert.deepEqual(ids(), [1, 2]);
  });

  it('say when room appears: at once, and when a blocked stream drains', () => {
    const { connect, rooms } = openWorkers();
    const { sink } = connect();
    assert.equal(rooms(), 1);
    sink.drained();
    assert.equal(rooms(), 2);
  });

  it('hand out work items with their tokens', () => {
    const { workers, connect } = openWorkers();
    const { sink } = connect();
    const request = toBinary(
      ActivityRequestSchema,
      create(ActivityRequestSchema, { name: 'A', taskId: 3 }),
    );
    workers.handOut([orchestration('t1'), { ...activity('t2'), request } as Claimed]);
    const items = sink.pushed.map((bytes) => fromBinary(WorkItemSchema, bytes));
    assert.deepEqual(
      items.map(({ completionToken, request: { case: kind } }) => [completionToken, kind]),
      [
        ['t1', 'orchestratorRequest'],
        ['t2', 'activityRequest'],
      ],
    );
    const given = items[1]?.request;
    assert.equal(given?.case === 'activityRequest' && given.value.taskId, 3);
    assert.equal(workers.held, 2);
  });

  it('lose room with what they hold and win it back with what they settle', () => {
    const { workers, connect } = openWorkers();
    connect({ maxConcurrentActivityWorkItems: 2, maxConcurrentOrchestrationWorkItems: 1 });
    const credit = (): number =>
      workers.takers().find(({ kind }) => kind === 'activity')?.credit ?? 0;
    workers.handOut([activity('t1')]);
    assert.equal(credit(), 1);
    workers.handOut([activity('t2')]);
    assert.equal(credit(), 0);
    assert.deepEqual(
      new Set(workers.takers().map(({ kind }) => kind)),
      new Set(['orchestration', 'entity']),
    );
    workers.settle('t1', 'completed');
    assert.equal(credit(), 1);
  });

  it('lose it again when what they settled was not committed', () => {
    const { workers, connect } = openWorkers();
    connect({ maxConcurrentActivityWorkItems: 1 });
    workers.handOut([activity('t1')]);
    const settlement = workers.settle('t1', 'completed');
    assert.equal(workers.held, 0);
    settlement?.undo();
    assert.equal(workers.held, 1);
    assert.equal(
      workers.takers().some(({ kind }) => kind === 'activity'),
      false,
    );
  });

  it('settle a token once, and none that they do not hold', () => {
    const { workers, connect } = openWorkers();
    connect();
    workers.handOut([activity('t1')]);
    assert.ok(workers.settle('t1', 'completed'));
    assert.equal(workers.settle('t1', 'completed'), undefined);
    assert.equal(workers.settle('unknown', 'completed'), undefined);
  });

  it('get nothing while their stream is blocked', () => {
    const { workers, connect } = openWorkers();
    const { sink } = connect();
    sink.isBlocked = true;
    assert.deepEqual(workers.takers(), []);
    sink.isBlocked = false;
    assert.equal(workers.takers().length, 3);
  });

  it('take turns in being first', () => {
    const { workers, connect } = openWorkers();
    connect();
    connect();
    const firsts = Array.from({ length: 4 }, () => workers.takers()[0]);
    assert.equal(new Set(firsts.map((taker) => `${taker?.id} ${taker?.kind}`)).size, 4);
  });

  it('pass their filters on: absent ones take everything, empty ones nothing', () => {
    const { workers, connect } = openWorkers();
    connect();
    assert.deepEqual(
      workers.takers().map(({ filters }) => filters),
      [undefined, undefined, undefined],
    );
    const { workers: others, connect: connectOther } = openWorkers();
    connectOther({
      workItemFilters: {
        orchestrations: [{ name: 'O', versions: ['1', ''] }],
        entities: [{ name: 'Counter' }],
      },
    });
    const byKind = new Map(others.takers().map(({ kind, filters }) => [kind, filters]));
    assert.deepEqual(byKind.get('orchestration'), [{ name: 'O', versions: ['1', ''] }]);
    assert.deepEqual(byKind.get('activity'), []);
  });

  describe('that go away', () => {
    it('give back what they hold, each kind after its grace period', () => {
      const { workers, connect, released, clock } = openWorkers();
      const { stream } = connect();
      workers.handOut([orchestration('t1'), activity('t2'), activity('t3')]);
      workers.settle('t3', 'completed');
      stream.close();
      stream.close();
      const { graceMs } = DEFAULT_SCHEDULER_SETTINGS;
      assert.deepEqual(
        released.map(({ token, work, readyAt }) => [token, work, readyAt - clock.now()]),
        [
          ['t1', 'orchestration', graceMs.orchestration],
          ['t2', 'activity', graceMs.activity],
        ],
      );
      assert.deepEqual([workers.held, workers.list().length], [0, 0]);
    });

    it('get nothing more: what was leased for them goes back at once', () => {
      const { workers, connect, released, clock } = openWorkers();
      const { stream, sink } = connect();
      stream.close();
      workers.handOut([activity('t1')]);
      assert.deepEqual(sink.tokens, []);
      assert.deepEqual(
        released.map(({ token, readyAt }) => [token, readyAt]),
        [['t1', clock.now()]],
      );
    });

    it('while their answer was being committed give the item back if that failed', () => {
      const { workers, connect, released } = openWorkers();
      const { stream } = connect();
      workers.handOut([activity('t1')]);
      const settlement = workers.settle('t1', 'completed');
      stream.close();
      assert.deepEqual(released, []);
      settlement?.undo();
      assert.deepEqual(
        released.map(({ token }) => token),
        ['t1'],
      );
    });
  });

  describe('that are told to go', () => {
    it('have their streams ended, those of one hub or all', () => {
      const { workers, connect } = openWorkers();
      const [one, other] = [connect({}, 'h'), connect({}, 'other')];
      workers.end('other');
      assert.deepEqual([one.sink.isEnded, other.sink.isEnded], [false, true]);
      workers.end();
      assert.equal(one.sink.isEnded, true);
    });

    it('get nothing more, but may still settle what they hold', () => {
      const { workers, connect, released } = openWorkers();
      const { sink } = connect();
      workers.handOut([activity('t1')]);
      workers.end();
      assert.deepEqual(workers.takers(), []);
      workers.handOut([activity('t2')]);
      assert.deepEqual(sink.tokens, ['t1']);
      assert.deepEqual(
        released.map(({ token }) => token),
        ['t2'],
      );
      assert.ok(workers.settle('t1', 'completed'));
    });

    it('give everything back at once in the end', () => {
      const { workers, connect, clock } = openWorkers();
      connect();
      workers.handOut([activity('t1'), orchestration('t2')]);
      const commits = workers.releaseNow();
      assert.deepEqual(
        commits.map(({ token, work, readyAt }) => [token, work, readyAt]),
        [
          ['t1', 'activity', clock.now()],
          ['t2', 'orchestration', clock.now()],
        ],
      );
      assert.deepEqual([workers.held, workers.takers()], [0, []]);
    });
  });

  it('that drain get nothing more on the streams they have, and may complete there what they hold', () => {
    const { workers, connect, released } = openWorkers();
    const first = connect();
    const others = [connect({}, 'h', { workerId: 'v' }), connect({}, 'h', { principal: 'p' })];
    connect({}, 'other');
    workers.handOut([activity('t1')]);
    const drain = () => workers.drain({ hub: 'h', worker: { id: 'w', principal: undefined } });

    assert.deepEqual([drain(), drain()], [1, 1]);
    assert.deepEqual([...new Set(workers.takers().map(({ id }) => id))].sort(), [2, 3, 4]);
    workers.handOut([activity('t2')]);
    assert.deepEqual(first.sink.tokens, ['t1']);
    assert.deepEqual(
      released.map(({ token, loss }) => [token, loss]),
      [['t2', undefined]],
    );
    assert.equal(first.sink.isEnded, false);
    assert.ok(workers.settle('t1', 'completed'));
    const again = connect();
    workers.handOut([activity('t3', 5)]);
    assert.deepEqual(again.sink.tokens, ['t3']);
    assert.equal(workers.drain({ hub: 'h', stream: 2 }), 1);
    assert.equal(workers.drain({ hub: 'h', stream: 4 }), 0);
    assert.equal(others[0]?.sink.isEnded, false);
  });

  it('are listed with what is known of them', () => {
    const { workers, connect, clock } = openWorkers();
    connect();
    workers.handOut([activity('t1')]);
    const [info] = workers.list();
    assert.partialDeepStrictEqual(info, {
      ...{ hub: 'h', workerId: 'w', userAgent: 'ua', connectedAt: clock.now(), inFlight: 1 },
      counts: { delivered: 1, completed: 0, gaveBack: 0 },
      inFlightByKind: { orchestration: 0, activity: 1, entity: 0 },
      held: [{ token: 't1', kind: 'activity', sinceAt: clock.now(), attempts: 0 }],
    });
    workers.settle('t1', 'gaveBack');
    assert.partialDeepStrictEqual(workers.list()[0]?.counts, { completed: 0, gaveBack: 1 });
  });
});
