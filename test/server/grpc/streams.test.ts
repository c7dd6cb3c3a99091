import assert from 'node:assert/strict';
import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import { create, toBinary } from '@bufbuild/protobuf';
import { TaskHubError } from '../../../src/core/errors.ts';
import {
  HistoryChunkSchema,
  TaskHubSidecarService,
  WorkItemSchema,
} from '../../../src/proto/orchestrator_service_pb.ts';
import {
  SINK_PENDING_BYTES_MAX,
  SINK_PENDING_MESSAGES_MAX,
} from '../../../src/server/grpc/call-sink.ts';
import { PING_INTERVAL_MS } from '../../../src/server/grpc/work-item-stream.ts';
import { openGrpcFixture, type GrpcFixture } from '../support/grpc-fixture.ts';
import { ManualClock } from '../support/manual-clock.ts';

const rpc = TaskHubSidecarService.method;

function activityItem(token: string, inputBytes = 2): Uint8Array {
  const value = { name: 'a', input: 'x'.repeat(inputBytes) };
  const request = { case: 'activityRequest', value } as const;
  return toBinary(WorkItemSchema, create(WorkItemSchema, { request, completionToken: token }));
}

describe('work item stream', () => {
  let fixture: GrpcFixture;
  const open = async (...options: Parameters<typeof openGrpcFixture>): Promise<GrpcFixture> => {
    fixture = await openGrpcFixture(...options);
    return fixture;
  };
  afterEach(() => fixture.close());

  it('begins with a health ping, before there is any work', async () => {
    const { client } = await open();

    const first = await client.stream(rpc.getWorkItems, {}).next();

    assert.equal(first?.request.case, 'healthPing');
  });

  it('tells the engine who the worker is and how much it takes', async () => {
    const { client, engine } = await open();
    const headers = {
      workerid: 'host,1,guid',
      'x-user-agent': 'durabletask-js/0.4.0 (DurableTaskWorker)',
    };

    client.stream(rpc.getWorkItems, { maxConcurrentActivityWorkItems: 7 }, { headers });
    const stream = await engine.firstStream();

    assert.equal(stream.hub, 'default');
    assert.equal(stream.workerId, 'host,1,guid');
    assert.equal(stream.userAgent, 'durabletask-js/0.4.0 (DurableTaskWorker)');
    assert.equal(stream.request.maxConcurrentActivityWorkItems, 7);
  });

  it('carries work items as the engine encoded them, in order', async () => {
    const { client, engine } = await open();
    const stream = client.stream(rpc.getWorkItems, {});
    const { sink } = await engine.firstStream();

    for (const token of ['1', '2', '3']) sink.push(activityItem(token));

    const tokens = [];
    for (let n = 0; n < 4; n += 1) tokens.push((await stream.next())?.completionToken);
    assert.deepEqual(tokens, ['', '1', '2', '3']);
  });

  it('is pinged when it was silent for the interval, and not before', async () => {
    const clock = new ManualClock();
    const { client, engine } = await open({ clock });
    const stream = client.stream(rpc.getWorkItems, {});
    const { sink } = await engine.firstStream();
    await stream.next();
    await clock.sleeperAt(clock.now() + PING_INTERVAL_MS);

    clock.advance(PING_INTERVAL_MS - 1);
    sink.push(activityItem('work'));
    clock.advance(1);
    await clock.sleeperAt(clock.now() + PING_INTERVAL_MS - 1);
    clock.advance(PING_INTERVAL_MS - 1);

    assert.equal((await stream.next())?.completionToken, 'work');
    assert.equal((await stream.next())?.request.case, 'healthPing');
  });

  it('ends with OK when the engine ends it', async () => {
    const { client, engine } = await open();
    const stream = client.stream(rpc.getWorkItems, {});
    const { sink } = await engine.firstStream();

    sink.push(activityItem('last'));
    sink.end();

    const seen = [await stream.next(), await stream.next(), await stream.next()];
    assert.deepEqual(
      seen.map((message) => message?.completionToken),
      ['', 'last', undefined],
    );
    assert.equal((await stream.ended).code, status.OK);
  });

  it('ends with OK when the server closes', async () => {
    const { client, engine, server } = await open();
    const stream = client.stream(rpc.getWorkItems, {});
    const opened = await engine.firstStream();
    await stream.next();

    const closing = server.close({ graceMs: 1_000 });

    assert.equal(await stream.next(), undefined);
    assert.equal((await stream.ended).code, status.OK);
    await closing;
    assert.equal(opened.closedCount, 1);
    assert.equal(server.streamCount, 0);
  });

  it('tells the engine once that the worker went away', async () => {
    const { client, engine, server } = await open();
    const stream = client.stream(rpc.getWorkItems, {});
    const opened = await engine.firstStream();
    await stream.next();

    stream.call.cancel();
    const { closed } = opened.sink as unknown as { readonly closed: AbortSignal };
    if (!closed.aborted) await once(closed, 'abort');
    await client.call(rpc.hello, {});

    assert.equal(opened.closedCount, 1);
    assert.equal(server.streamCount, 0);
    opened.sink.push(activityItem('late'));
  });

  it('counts as blocked while the worker does not read, and says when it reads again', async () => {
    const { client, engine } = await open();
    const stream = client.stream(rpc.getWorkItems, {});
    stream.call.pause();
    const { sink } = await engine.firstStream();
    const drained = new Promise<void>((resolve) => sink.onDrain(resolve));

    let pushed = 0;
    for (; !sink.isBlocked; pushed += 1) sink.push(activityItem(String(pushed), 100_000));
    assert.ok(pushed * 100_000 < SINK_PENDING_BYTES_MAX + 200_000, `${pushed} were taken`);
    stream.call.resume();
    await drained;

    assert.equal(sink.isBlocked, false);
  });

  it('counts as blocked by many small messages too', async () => {
    const { client, engine } = await open();
    client.stream(rpc.getWorkItems, {});
    const { sink } = await engine.firstStream();

    let pushed = 0;
    for (; !sink.isBlocked; pushed += 1) sink.push(activityItem(String(pushed)));

    assert.ok(pushed <= SINK_PENDING_MESSAGES_MAX);
  });

  it('outlives thousands of calls that its own connection gives up', async () => {
    const { client, engine, server } = await open();
    const stream = client.stream(rpc.getWorkItems, {});
    const { sink } = await engine.firstStream();
    await stream.next();

    for (let round = 0; round < 5; round += 1) {
      const others = Array.from({ length: 300 }, () => client.stream(rpc.getWorkItems, {}));
      await Promise.all(others.map((other) => other.next()));
      for (const other of others) other.call.cancel();
      await Promise.all(others.map((other) => other.ended));
    }
    await client.call(rpc.hello, {});
    sink.push(activityItem('still here'));

    assert.equal((await stream.next())?.completionToken, 'still here');
    assert.equal(server.streamCount, 1);
  });

  it('ends with the status of an engine that refuses the worker', async () => {
    const { client } = await open({
      methods: {
        openWorkerStream: () => {
          throw new TaskHubError('RESOURCE_EXHAUSTED', 'too many workers');
        },
      },
    });

    const end = await client.stream(rpc.getWorkItems, {}).ended;

    assert.equal(end.code, status.RESOURCE_EXHAUSTED);
    assert.equal(end.details, 'too many workers');
  });

  it('is refused for an unknown hub and while draining', async () => {
    const { client, server } = await open();
    const unknown = await client.stream(rpc.getWorkItems, {}, { headers: { taskhub: 'x' } }).ended;
    assert.equal(unknown.code, status.NOT_FOUND);

    server.beginDrain();

    assert.equal((await client.stream(rpc.getWorkItems, {}).ended).code, status.UNAVAILABLE);
  });
});

describe('history stream', () => {
  let fixture: GrpcFixture;
  afterEach(() => fixture.close());

  const chunk = (count: number): Uint8Array => {
    const events = Array.from({ length: count }, (_, eventId) => ({ eventId }));
    return toBinary(HistoryChunkSchema, create(HistoryChunkSchema, { events }));
  };

  it('sends the chunks of the engine and ends with OK', async () => {
    fixture = await openGrpcFixture({
      methods: {
        streamHistory: async function* () {
          yield chunk(2);
          yield chunk(1);
        },
      },
    });

    const stream = fixture.client.stream(rpc.streamInstanceHistory, { instanceId: 'a' });

    const sizes = [(await stream.next())?.events.length, (await stream.next())?.events.length];
    assert.deepEqual(sizes, [2, 1]);
    assert.equal(await stream.next(), undefined);
    assert.equal((await stream.ended).code, status.OK);
  });

  it('reads no further than a slow client does', async () => {
    const event = {
      eventType: { case: 'genericEvent', value: { data: 'x'.repeat(100_000) } },
    } as const;
    const large = toBinary(HistoryChunkSchema, create(HistoryChunkSchema, { events: [event] }));
    let read = 0;
    fixture = await openGrpcFixture({
      methods: {
        streamHistory: async function* () {
          for (; read < 300; read += 1) yield large;
        },
      },
    });
    const stream = fixture.client.stream(rpc.streamInstanceHistory, { instanceId: 'a' });
    stream.call.pause();
    await fixture.client.call(rpc.hello, {});
    await fixture.client.call(rpc.hello, {});

    const readWhilePaused = read;
    let received = 0;
    while ((await stream.next()) !== undefined) received += 1;

    assert.ok(readWhilePaused < 300, `${readWhilePaused} chunks were read ahead`);
    assert.equal(received, 300);
  });

  it('ends with the status of a failure in the middle, after what came before', async () => {
    fixture = await openGrpcFixture({
      methods: {
        streamHistory: async function* () {
          yield chunk(1);
          throw new TaskHubError('LEASE_LOST', 'another worker has the item');
        },
      },
    });

    const stream = fixture.client.stream(rpc.streamInstanceHistory, { instanceId: 'a' });

    assert.equal((await stream.next())?.events.length, 1);
    assert.equal((await stream.ended).code, status.NOT_FOUND);
  });
});
