import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { TaskHubClientOptions } from '../../src/client/index.ts';
import {
  OrchestrationFailedError,
  OrchestrationStatus,
  TaskHubClient,
  terminateOptions,
} from '../../src/client/index.ts';
import type { OrchestrationStateSchema } from '../../src/proto/orchestrator_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import { PACKAGE_VERSION } from '../../src/client/user-agent.ts';
import { impatientClock } from '../worker/support/impatient-clock.ts';
import { ScriptedScheduler, StatusError } from '../worker/support/scripted-scheduler.ts';

const STATE = {
  instanceId: 'i',
  name: 'Hello',
  orchestrationStatus: OrchestrationStatus.COMPLETED,
  createdTimestamp: timestampFromMs(1_000),
  lastUpdatedTimestamp: timestampFromMs(2_000),
};

describe('TaskHubClient', () => {
  let scheduler: ScriptedScheduler;
  let client: TaskHubClient;

  beforeEach(async () => {
    scheduler = await ScriptedScheduler.open();
    scheduler.on('startInstance', ({ instanceId }) => ({ instanceId }));
    open();
  });
  afterEach(async () => {
    await client.close();
    scheduler.close();
  });

  function open(options: TaskHubClientOptions = {}): void {
    client = TaskHubClient.open({
      connectionString: `Endpoint=${scheduler.endpoint};TaskHub=h;Authentication=None`,
      clock: impatientClock(),
      ...options,
    });
  }

  function answerGet(state: MessageInitShape<typeof OrchestrationStateSchema> = {}): void {
    const reply = { exists: true, orchestrationState: { ...STATE, ...state } };
    scheduler.on('getInstance', () => reply);
    scheduler.on('waitForInstanceStart', () => reply);
    scheduler.on('waitForInstanceCompletion', () => reply);
  }

  it('sends the hub and who it is with every call', async () => {
    await client.createTaskHub();

    assert.equal(scheduler.calls[0]?.headers['taskhub'], 'h');
    assert.equal(
      scheduler.calls[0].headers['x-user-agent'],
      `durabletask-scheduler/${PACKAGE_VERSION} (TaskHubClient)`,
    );
    assert.equal(scheduler.calls[0].headers['authorization'], undefined);
  });

  it('says the version of the package', async () => {
    const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');

    assert.equal((JSON.parse(text) as { version: string }).version, PACKAGE_VERSION);
  });

  it('starts an orchestration by name, with a random id and its input as JSON', async () => {
    const id = await client.scheduleNewOrchestration('Hello', { city: 'Tokyo' });

    const [request] = scheduler.requests('startInstance');
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.equal(request?.instanceId, id);
    assert.equal(request.name, 'Hello');
    assert.equal(request.input, '{"city":"Tokyo"}');
    assert.equal(request.scheduledStartTimestamp, undefined);
    assert.equal(request.orchestrationIdReusePolicy, undefined);
  });

  it('starts an orchestrator function with everything that options can say', async () => {
    open({ defaultVersion: '1' });
    await client.scheduleNewOrchestration(function Hello() {}, undefined, {
      instanceId: 'mine',
      startAt: new Date(5_000),
      tags: { a: 'b' },
      version: '2',
      replaceableStatuses: [OrchestrationStatus.FAILED],
    });
    await client.scheduleNewOrchestration('Hello', undefined, 'other', new Date(6_000));

    const [first, second] = scheduler.requests('startInstance');
    assert.equal(first?.name, 'Hello');
    assert.equal(first.instanceId, 'mine');
    assert.equal(first.input, undefined);
    assert.equal(first.version, '2');
    assert.deepEqual(first.tags, { a: 'b' });
    assert.equal(first.scheduledStartTimestamp?.seconds, 5n);
    assert.deepEqual(first.orchestrationIdReusePolicy?.replaceableStatus, [3]);
    assert.equal(second?.instanceId, 'other');
    assert.equal(second.version, '1');
    assert.equal(second.scheduledStartTimestamp?.seconds, 6n);
  });

  it('counts a start whose reply was lost as done, when the id was random', async () => {
    let attempts = 0;
    scheduler.on('startInstance', () => {
      attempts += 1;
      throw attempts === 1
        ? new StatusError(status.UNAVAILABLE, 'gone')
        : new StatusError(status.ALREADY_EXISTS, 'already exists.');
    });

    const id = await client.scheduleNewOrchestration('Hello');

    assert.equal(id, scheduler.requests('startInstance')[0]?.instanceId);
    await assert.rejects(client.scheduleNewOrchestration('Hello', 1, 'mine'), {
      code: 'INSTANCE_ALREADY_EXISTS',
    });
  });

  it('gives the state of an instance with the fields of the published package', async () => {
    answerGet({ input: '1', output: '2', customStatus: '3', tags: { a: 'b' }, version: 'v' });

    const state = await client.getOrchestrationState('i');

    assert.equal(scheduler.requests('getInstance')[0]?.getInputsAndOutputs, true);
    assert.equal(state?.instanceId, 'i');
    assert.equal(state.name, 'Hello');
    assert.equal(state.runtimeStatus, OrchestrationStatus.COMPLETED);
    assert.equal(state.createdAt.getTime(), 1_000);
    assert.equal(state.lastUpdatedAt.getTime(), 2_000);
    assert.equal(state.completedAt, undefined);
    assert.equal(state.serializedInput, '1');
    assert.equal(state.serializedOutput, '2');
    assert.equal(state.serializedCustomStatus, '3');
    assert.deepEqual(state.tags, { a: 'b' });
    state.raiseIfFailed();
  });

  it('gives undefined for an instance that does not exist', async () => {
    assert.equal(await client.getOrchestrationState('none'), undefined);
  });

  it('throws the failure of a failed orchestration on demand, causes included', async () => {
    answerGet({
      orchestrationStatus: OrchestrationStatus.FAILED,
      failureDetails: {
        errorType: 'A',
        errorMessage: 'outer',
        innerFailure: { errorType: 'B', errorMessage: 'inner' },
      },
    });

    const state = await client.waitForOrchestrationCompletion('i');

    assert.throws(
      () => state?.raiseIfFailed(),
      (error) =>
        error instanceof OrchestrationFailedError &&
        error.message === "Orchestration 'i' failed: outer" &&
        error.failureDetails.innerFailure?.message === 'inner',
    );
  });

  it('throws for a failed orchestration even when payloads were not fetched', async () => {
    answerGet({ orchestrationStatus: OrchestrationStatus.FAILED });

    const state = await client.waitForOrchestrationStart('i');

    assert.throws(() => state?.raiseIfFailed(), { name: 'OrchestrationFailedError' });
  });

  it('ends a wait with TimeoutError when its time is over', async () => {
    scheduler.on('waitForInstanceCompletion', () => new Promise(() => undefined));

    await assert.rejects(client.waitForOrchestrationCompletion('i', true, 0.05), {
      name: 'TimeoutError',
      message: "Timed out waiting for orchestration 'i' to complete after 0.05s",
    });
  });

  it('ends a wait with the reason of its signal', async () => {
    const controller = new AbortController();
    scheduler.on('waitForInstanceStart', () => new Promise(() => undefined));
    const wait = client.waitForOrchestrationStart('i', true, { signal: controller.signal });
    await scheduler.until(() => scheduler.requests('waitForInstanceStart').length === 1);

    controller.abort(new Error('enough'));

    await assert.rejects(wait, { message: 'enough' });
  });

  it('goes on waiting while the scheduler is away, once it was there', async () => {
    answerGet();
    let isAway = true;
    scheduler.on('waitForInstanceCompletion', () => {
      if (isAway) throw new StatusError(status.UNAVAILABLE, 'draining');
      return { exists: true, orchestrationState: STATE };
    });
    await assert.rejects(client.waitForOrchestrationCompletion('i'), { code: 'UNAVAILABLE' });
    await client.getOrchestrationState('i');
    const wait = client.waitForOrchestrationCompletion('i');
    await scheduler.until(() => scheduler.requests('waitForInstanceCompletion').length > 40);

    isAway = false;

    assert.equal((await wait)?.instanceId, 'i');
  });

  it('gives up such a wait when its time is over, and says why', async () => {
    open({ clock: systemClock });
    scheduler.on('waitForInstanceStart', () => {
      throw new StatusError(status.UNAVAILABLE, 'draining');
    });
    await client.getOrchestrationState('i');

    await assert.rejects(client.waitForOrchestrationStart('i', false, 0.03), {
      name: 'TimeoutError',
    });
  });

  it('refuses a timeout that is no time', async () => {
    await assert.rejects(client.waitForOrchestrationStart('i', true, -1), {
      code: 'INVALID_ARGUMENT',
      message: /timeoutMs must be a finite number >= 0, got -1000/,
    });
  });

  it('sends events, and null when there is no data', async () => {
    await client.raiseOrchestrationEvent('i', 'Approved', { by: 'me' });
    await client.raiseOrchestrationEvent('i', 'Approved');

    const [first, second] = scheduler.requests('raiseEvent');
    assert.deepEqual([first?.name, first?.input], ['Approved', '{"by":"me"}']);
    assert.equal(second?.input, 'null');
  });

  it('terminates with an output, which may look like options, and recursively on demand', async () => {
    await client.terminateOrchestration('i', { recursive: true });
    await client.terminateOrchestration('i', terminateOptions({ output: 1, recursive: true }));
    await client.terminateOrchestration('i');

    const [first, second, third] = scheduler.requests('terminateInstance');
    assert.deepEqual([first?.output, first?.recursive], ['{"recursive":true}', false]);
    assert.deepEqual([second?.output, second?.recursive], ['1', true]);
    assert.deepEqual([third?.output, third?.recursive], [undefined, false]);
  });

  it('suspends and resumes with a reason', async () => {
    await client.suspendOrchestration('i', 'wait');
    await client.resumeOrchestration('i');

    assert.equal(scheduler.requests('suspendInstance')[0]?.reason, 'wait');
    assert.equal(scheduler.requests('resumeInstance')[0]?.reason, undefined);
  });

  it('gives the history event by event', async () => {
    scheduler.on('streamInstanceHistory', () => ({ events: [{ eventId: 1 }, { eventId: 2 }] }));

    const ids: number[] = [];
    for await (const event of client.getOrchestrationHistory('i')) ids.push(event.eventId);

    assert.deepEqual(ids, [1, 2]);
  });

  it('gives no history for a missing instance, whichever way the scheduler says so', async () => {
    scheduler.on('streamInstanceHistory', () => {
      throw new StatusError(status.NOT_FOUND, 'no such instance');
    });

    assert.deepEqual(await Array.fromAsync(client.getOrchestrationHistory('i')), []);
  });

  it('creates, recreates and deletes its task hub', async () => {
    await client.createTaskHub();
    await client.createTaskHub({ recreateIfExists: true });
    await client.deleteTaskHub();

    const created = scheduler.requests('createTaskHub');
    assert.deepEqual(
      created.map(({ recreateIfExists }) => recreateIfExists),
      [false, true],
    );
    assert.equal(scheduler.requests('deleteTaskHub').length, 1);
  });

  for (const [code, details, expected] of [
    [status.INVALID_ARGUMENT, 'bad', 'INVALID_ARGUMENT'],
    [status.NOT_FOUND, 'no instance', 'INSTANCE_NOT_FOUND'],
    [status.NOT_FOUND, 'Task hub not found: h', 'TASK_HUB_NOT_FOUND'],
    [status.NOT_FOUND, "Work item 't' with completion count '0' not found", 'LEASE_LOST'],
    [status.ALREADY_EXISTS, 'taken', 'INSTANCE_ALREADY_EXISTS'],
    [status.FAILED_PRECONDITION, 'not now', 'WRONG_STATE'],
    [status.RESOURCE_EXHAUSTED, 'full', 'RESOURCE_EXHAUSTED'],
    [status.UNIMPLEMENTED, 'not here', 'UNIMPLEMENTED'],
    [status.UNAVAILABLE, 'draining', 'UNAVAILABLE'],
    [status.INTERNAL, 'bug', 'UNAVAILABLE'],
    [status.PERMISSION_DENIED, 'not you', 'PERMISSION_DENIED'],
    [status.UNAUTHENTICATED, 'who are you', 'UNAUTHENTICATED'],
  ] as const) {
    it(`shows ${status[code]} "${details}" as ${expected} with the scheduler's text`, async () => {
      scheduler.on('suspendInstance', () => {
        throw new StatusError(code, details);
      });

      await assert.rejects(client.suspendOrchestration('i'), (error: Error) => {
        assert.equal(error.name, 'TaskHubError');
        assert.equal((error as Error & { code: string }).code, expected);
        assert.equal(error.message, details);
        assert.equal((error.cause as { code: status }).code, code);
        return true;
      });
    });
  }

  it('repeats a call that the scheduler could not take, ten times at most', async () => {
    scheduler.on('suspendInstance', () => {
      throw new StatusError(status.UNAVAILABLE, 'not ready');
    });

    await assert.rejects(client.suspendOrchestration('i'), { code: 'UNAVAILABLE' });

    assert.equal(scheduler.requests('suspendInstance').length, 10);
  });

  it('finds a scheduler again that crashed and came back', async () => {
    await client.suspendOrchestration('i');
    scheduler.crash();
    await scheduler.listen();

    await client.suspendOrchestration('i');

    assert.equal(scheduler.requests('suspendInstance').length, 2);
  });

  it('names the argument that is missing', async () => {
    await assert.rejects(client.getOrchestrationState(''), { message: /instanceId/ });
    await assert.rejects(client.raiseOrchestrationEvent('i', ''), { message: /eventName/ });
    await assert.rejects(
      client.scheduleNewOrchestration(() => undefined),
      { message: /must have a name/ },
    );
  });

  it('names a payload that JSON cannot hold', async () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;

    await assert.rejects(client.raiseOrchestrationEvent('i', 'e', cycle), {
      code: 'INVALID_ARGUMENT',
      message: /^The event data cannot be written as JSON: Converting circular structure/,
    });
  });

  it('says that other authentication comes later', () => {
    assert.throws(
      () => TaskHubClient.open('Endpoint=http://h:1;TaskHub=h;Authentication=VisualStudio'),
      {
        code: 'INVALID_ARGUMENT',
        message: /Authentication=VisualStudio" exists for \.NET only/,
      },
    );
  });

  it('asks for an address', () => {
    assert.throws(() => TaskHubClient.open({ endpoint: 'http://h:1' }), {
      code: 'INVALID_ARGUMENT',
      message: /"connectionString", or "endpoint" and "taskHub"/,
    });
  });

  it('ends calls under way when it is closed', async () => {
    scheduler.on('waitForInstanceStart', () => new Promise(() => undefined));
    await client.getOrchestrationState('i');
    const wait = client.waitForOrchestrationStart('i');
    await scheduler.until(() => scheduler.requests('waitForInstanceStart').length > 0);

    await client.close();

    await assert.rejects(wait, { code: 'UNAVAILABLE', message: 'The connection was closed' });
  });

  it('fails calls after it was closed, and may be closed twice', async () => {
    await client.close();
    await client[Symbol.asyncDispose]();

    await assert.rejects(client.suspendOrchestration('i'), { code: 'UNAVAILABLE' });
  });
});
