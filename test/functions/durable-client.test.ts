import assert from 'node:assert/strict';
import azureFunctions from '@azure/functions';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { TimeoutError } from '../../src/client/connection.ts';
import { TaskHubClient } from '../../src/client/task-hub-client.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { TaskHubError } from '../../src/core/errors.ts';
import { DurableClient } from '../../src/functions/durable-client.ts';
import { createLinks } from '../../src/functions/management/links.ts';
import {
  DurableOrchestrationStatus,
  EntityId,
  EntityStateResponse,
  HttpManagementPayload,
  OrchestrationRuntimeStatus,
  PurgeHistoryResult,
} from '../../src/functions/value-classes.ts';
import { OrchestrationStatus } from '../../src/proto/orchestrator_service_pb.ts';
import { FakeScheduler } from './support/fake-scheduler.ts';
import { CREATED_AT, failedReply, instanceReply } from './support/instances.ts';

type Replies = ConstructorParameters<typeof FakeScheduler>[0];

function open(replies: Replies = {}): { client: DurableClient; scheduler: FakeScheduler } {
  const scheduler = new FakeScheduler(replies);
  const taskHub = TaskHubClient.open({ connection: scheduler });
  const client = new DurableClient({
    taskHubName: 'hub',
    client: taskHub,
    linksFor: (instanceId, request) =>
      createLinks(instanceId, {
        http: { routePrefix: 'api', usesForwardedHost: false, ownOrigin: 'http://localhost:7071' },
        taskHub: 'hub',
        connectionName: 'CONN',
        secrets: { secret: undefined, ttlMs: 0 },
        now: 0,
        request,
      }),
    openOther: () => taskHub,
    mayReplaceRunning: false,
  });
  return { client, scheduler };
}

const notFound: Replies[string] = () => {
  throw new TaskHubError('INSTANCE_NOT_FOUND', 'gone');
};
const request = new azureFunctions.HttpRequest({ method: 'POST', url: 'https://x.net/api/start' });

describe('DurableClient', () => {
  it('starts an orchestration with its input as JSON', async () => {
    const { client, scheduler } = open({ StartInstance: () => ({ instanceId: 'abc' }) });

    const id = await client.startNew('Hello', { instanceId: 'abc', input: { city: 'Tokyo' } });

    assert.equal(id, 'abc');
    const [started] = scheduler.requestsTo('StartInstance');
    assert.equal(started?.['name'], 'Hello');
    assert.equal(started['input'], '{"city":"Tokyo"}');
  });

  it('starts without an input when none is given', async () => {
    const { client, scheduler } = open({ StartInstance: () => ({ instanceId: 'abc' }) });

    await client.startNew('Hello');

    assert.equal(scheduler.requestsTo('StartInstance')[0]?.['input'], undefined);
  });

  it('refuses to start without a name', async () => {
    await assert.rejects(open().client.startNew(' '), {
      message: 'orchestratorFunctionName must be a valid string.',
    });
  });

  it('refuses an instance id that could not be part of a URL', async () => {
    for (const instanceId of ['a/b', 'a\\b', 'a?b', 'a#b', 'a\nb']) {
      await assert.rejects(open().client.startNew('Hello', { instanceId }), /management URLs/);
    }
  });

  it('gives a status object of durable-functions', async () => {
    const reply = instanceReply({ customStatus: '"half"' });
    const { client } = open({ GetInstance: () => reply });

    const status = await client.getStatus('abc');

    assert.ok(status instanceof DurableOrchestrationStatus);
    assert.equal(status.runtimeStatus, 'Running');
    assert.deepEqual(status.createdTime, CREATED_AT);
    assert.deepEqual(status.input, { city: 'Tokyo' });
    assert.equal(status.customStatus, 'half');
    assert.equal(status.output, null);
  });

  it('leaves the input out when asked to', async () => {
    const { client } = open({ GetInstance: () => instanceReply() });

    assert.equal((await client.getStatus('abc', { showInput: false })).input, null);
  });

  it('says of a failed instance which orchestrator failed, and how', async () => {
    const { client } = open({ GetInstance: () => failedReply('boom') });

    const status = await client.getStatus('abc');

    assert.equal(status.output, "Orchestrator function 'Hello' failed: boom");
  });

  it('adds the history when asked to', async () => {
    const started = {
      eventId: -1,
      eventType: { case: 'executionStarted', value: { name: 'Hello' } },
    };
    const { client } = open({
      GetInstance: () => instanceReply(),
      StreamInstanceHistory: () => ({ events: [started] }),
    });

    const { history } = await client.getStatus('abc', { showHistory: true });

    assert.deepEqual(history, [
      { EventType: 'ExecutionStarted', FunctionName: 'Hello', Input: null },
    ]);
  });

  it('rejects the status of a missing instance with the text that apps look for', async () => {
    const { client } = open({ GetInstance: () => ({ exists: false }) });

    await assert.rejects(client.getStatus('abc'), {
      message:
        'DurableClient error: Durable Functions extension replied with HTTP 404 response. This ' +
        'usually means we could not find any data associated with the instanceId provided: abc.',
    });
  });

  it('raises an event with its data as JSON', async () => {
    const { client, scheduler } = open();

    await client.raiseEvent('abc', 'Approval', { ok: true });

    assert.deepEqual(scheduler.requestsTo('RaiseEvent'), [
      { instanceId: 'abc', name: 'Approval', input: '{"ok":true}' },
    ]);
  });

  it('refuses an event without a name', async () => {
    await assert.rejects(open().client.raiseEvent('abc', ' ', 1), {
      message: 'eventName must be a valid string.',
    });
  });

  it('says so when the instance of a command does not exist', async () => {
    const { client } = open({
      RaiseEvent: notFound,
      TerminateInstance: notFound,
      SuspendInstance: notFound,
      ResumeInstance: notFound,
    });

    for (const command of [
      client.raiseEvent('abc', 'e', 1),
      client.terminate('abc', 'why'),
      client.suspend('abc', 'why'),
      client.resume('abc', 'why'),
    ]) {
      await assert.rejects(command, { message: "No instance with ID 'abc' found." });
    }
  });

  it('sends the reason along', async () => {
    const { client, scheduler } = open();

    await client.terminate('abc', 'enough');
    await client.suspend('abc', 'pause');

    assert.equal(scheduler.requestsTo('TerminateInstance')[0]?.['output'], '"enough"');
    assert.equal(scheduler.requestsTo('SuspendInstance')[0]?.['reason'], 'pause');
  });

  it('answers a start with 202, the links and where to ask again', async () => {
    const response = open().client.createCheckStatusResponse(request, 'a b');

    assert.equal(response.status, 202);
    assert.equal(response.headers.get('retry-after'), '10');
    assert.equal(response.headers.get('content-type'), 'application/json');
    const links = (await response.json()) as Record<string, string>;
    assert.equal(
      links['statusQueryGetUri'],
      'https://x.net/api/durabletask/instances/a%20b?taskHub=hub&connection=CONN',
    );
    assert.equal(response.headers.get('location'), links['statusQueryGetUri']);
  });

  it('makes a management payload at its own address without a request', () => {
    const payload = open().client.createHttpManagementPayload('abc');

    assert.ok(payload instanceof HttpManagementPayload);
    assert.equal(payload.id, 'abc');
    assert.ok(payload.terminatePostUri.startsWith('http://localhost:7071/api/durabletask/'));
  });

  it('waits for an orchestration and answers with its output', async () => {
    const completed = instanceReply({
      orchestrationStatus: OrchestrationStatus.COMPLETED,
      output: '["done"]',
    });
    const { client, scheduler } = open({ WaitForInstanceCompletion: () => completed });
    const wait = { timeoutInMilliseconds: 5000, retryIntervalInMilliseconds: 100 };

    const response = await client.waitForCompletionOrCreateCheckStatusResponse(
      request,
      'abc',
      wait,
    );

    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), ['done']);
    assert.equal(scheduler.calls[0]?.timeoutMs, 5000);
  });

  it('answers a wait for a failed orchestration with 500 and its status', async () => {
    const { client } = open({ WaitForInstanceCompletion: () => failedReply('boom') });

    const response = await client.waitForCompletionOrCreateCheckStatusResponse(request, 'abc');

    assert.equal(response.status, 500);
    const body = (await response.json()) as Record<string, unknown>;
    assert.equal(body['runtimeStatus'], 'Failed');
  });

  it('answers a wait that takes too long like a start', async () => {
    const { client } = open({
      WaitForInstanceCompletion: () => {
        throw new TimeoutError('late');
      },
    });

    const response = await client.waitForCompletionOrCreateCheckStatusResponse(request, 'abc');

    assert.equal(response.status, 202);
  });

  it('refuses a wait whose interval is longer than the whole', async () => {
    const wait = { timeoutInMilliseconds: 10, retryIntervalInMilliseconds: 20 };

    await assert.rejects(
      open().client.waitForCompletionOrCreateCheckStatusResponse(request, 'abc', wait),
      { message: 'Total timeout 10 (ms) should be bigger than retry timeout 20 (ms)' },
    );
  });

  it('gives the status of every instance, however many pages there are', async () => {
    const state = (instanceId: string) => instanceReply({ instanceId }).orchestrationState;
    const { client, scheduler } = open({
      QueryInstances: ({ query }) =>
        (query as { continuationToken?: string }).continuationToken === undefined
          ? { orchestrationState: [state('a'), state('b')], continuationToken: 't' }
          : { orchestrationState: [state('c')] },
    });

    const statuses = await client.getStatusAll();

    assert.deepEqual(
      statuses.map(({ instanceId }) => instanceId),
      ['a', 'b', 'c'],
    );
    assert.ok(statuses[0] instanceof DurableOrchestrationStatus);
    assert.deepEqual(statuses[0].createdTime, CREATED_AT);
    assert.deepEqual(statuses[0].input, { city: 'Tokyo' });
    assert.equal(scheduler.requestsTo('QueryInstances').length, 2);
  });

  it('asks for the statuses and times of its filter', async () => {
    const { client, scheduler } = open();

    await client.getStatusBy({
      createdTimeFrom: CREATED_AT,
      runtimeStatus: [OrchestrationRuntimeStatus.Failed, OrchestrationRuntimeStatus.Completed],
    });

    const query = scheduler.requestsTo('QueryInstances')[0]?.['query'] as Record<string, unknown>;
    assert.deepEqual(query['runtimeStatus'], [
      OrchestrationStatus.FAILED,
      OrchestrationStatus.COMPLETED,
    ]);
    assert.deepEqual(query['createdTimeFrom'], timestampFromDate(CREATED_AT));
    assert.equal(query['createdTimeTo'], undefined);
    await assert.rejects(client.getStatusBy({ runtimeStatus: ['Gone' as never] }), /"Gone"/);
  });

  it('counts what a purge deleted', async () => {
    const { client, scheduler } = open({ PurgeInstances: () => ({ deletedInstanceCount: 1 }) });

    const one = await client.purgeInstanceHistory('abc');
    const many = await client.purgeInstanceHistoryBy({ createdTimeFrom: CREATED_AT });

    assert.ok(one instanceof PurgeHistoryResult);
    assert.deepEqual([one.instancesDeleted, many.instancesDeleted], [1, 1]);
    assert.deepEqual(scheduler.requestsTo('PurgeInstances')[0]?.['request'], {
      case: 'instanceId',
      value: 'abc',
    });
    await assert.rejects(client.purgeInstanceHistoryBy({}), {
      message: 'createdTimeFrom must be a valid Date',
    });
  });

  it('rewinds, and says in the words of durable-functions why it cannot', async () => {
    const refusal = (code: ErrorCode) => () => {
      throw new TaskHubError(code, 'no');
    };
    const { client, scheduler } = open();

    await client.rewind('abc', 'try again');

    assert.equal(scheduler.requestsTo('RewindInstance')[0]?.['reason'], 'try again');
    const texts = [
      ['INSTANCE_NOT_FOUND', "No instance with ID 'abc' found."],
      ['WRONG_STATE', 'The rewind operation is only supported on failed orchestration instances.'],
      [
        'UNIMPLEMENTED',
        'The rewind operation is not supported by the underlying storage provider.',
      ],
    ] as const;
    for (const [code, message] of texts) {
      const refused = open({ RewindInstance: refusal(code) }).client.rewind('abc', 'why');
      await assert.rejects(refused, { message });
    }
  });

  it('restarts an instance under its id unless told otherwise', async () => {
    const { client, scheduler } = open({ RestartInstance: () => ({ instanceId: 'abc' }) });

    assert.equal(await client.restart('abc'), 'abc');
    await client.restart('abc', true);

    assert.deepEqual(
      scheduler.requestsTo('RestartInstance').map((asked) => asked['restartWithNewInstanceId']),
      [false, true],
    );
    await assert.rejects(open({ RestartInstance: notFound }).client.restart('abc'), {
      message: "No instance with ID 'abc' found.",
    });
  });

  it('reads the state of an entity', async () => {
    const reply = (serializedState?: string) => () => ({
      exists: true,
      entity: {
        instanceId: '@counter@a',
        ...(serializedState !== undefined && { serializedState }),
      },
    });
    const id = new EntityId('Counter', 'a');
    const read = async (replies: Parameters<typeof open>[0]) =>
      open(replies).client.readEntityState(id);

    const found = await read({ GetEntity: reply('0') });
    assert.ok(found instanceof EntityStateResponse);
    assert.deepEqual([found.entityExists, found.entityState], [true, 0]);
    assert.equal((await read({ GetEntity: () => ({}) })).entityExists, false);
    assert.equal((await read({ GetEntity: reply() })).entityExists, false);
  });

  it('signals an entity, with falsy inputs too', async () => {
    const { client, scheduler } = open();
    const id = new EntityId('Counter', 'a');

    for (const input of [0, false, '', null, undefined])
      await client.signalEntity(id, 'set', input);

    assert.deepEqual(
      scheduler
        .requestsTo('SignalEntity')
        .map(({ instanceId, name, input }) => [instanceId, name, input]),
      ['0', 'false', '""', 'null', undefined].map((input) => ['@counter@a', 'set', input]),
    );
  });

  it('signals an entity later', async () => {
    const { client, scheduler } = open();

    const signalTime = new Date(5_000);
    await client.signalEntity(new EntityId('Counter', 'a'), 'set', 1, { signalTime });

    const [request] = scheduler.requestsTo('SignalEntity');
    assert.deepEqual(request?.['scheduledTime'], timestampFromDate(signalTime));
  });

  it('refuses a signal without an operation, which no scheduler takes', async () => {
    await assert.rejects(open().client.signalEntity(new EntityId('Counter', 'a')), {
      message: 'operationName must not be empty',
    });
  });

  it('lists and cleans entities', async () => {
    const { client } = open({
      QueryEntities: () => ({ entities: [{ instanceId: '@counter@a', serializedState: '1' }] }),
      CleanEntityStorage: () => ({ emptyEntitiesRemoved: 2 }),
    });

    const found = await Array.fromAsync(client.getEntities<number>(), ({ id, state }) => [
      id.toString(),
      state,
    ]);

    assert.deepEqual(found, [['@counter@a', 1]]);
    assert.equal((await client.cleanEntityStorage()).emptyEntitiesRemoved, 2);
  });
});
