import assert from 'node:assert/strict';
import azureFunctions from '@azure/functions';
import type { HttpRequest } from '@azure/functions';
import { OrchestrationAlreadyExistsError } from '../../src/functions/already-exists.ts';
import { DurableClient } from '../../src/functions/durable-client.ts';
import { OrchestrationRuntimeStatus } from '../../src/functions/value-classes.ts';
import { OrchestrationStatus } from '../../src/proto/orchestrator_service_pb.ts';
import { TestHub } from '../../src/testing/index.ts';

const LINKS = [
  'statusQueryGetUri',
  'sendEventPostUri',
  'terminatePostUri',
  'rewindPostUri',
] as const;

describe('the client names of durable-functions 4', () => {
  let hub: TestHub;
  let client: DurableClient;

  before(async () => {
    hub = await TestHub.open({
      orchestrators: {
        *wait(context) {
          return (yield context.df.waitForExternalEvent('go')) as unknown;
        },
        fail: () => {
          throw new Error('broken');
        },
      },
    });
    client = new DurableClient({
      taskHubName: 'test',
      client: hub.client,
      linksFor: (id, request) => linksAt(request, id),
      openOther: () => hub.client,
      mayReplaceRunning: false,
    });
  });

  after(() => hub.close());

  it('start, steer and read instances', async () => {
    const id = await client.scheduleNewOrchestration('wait', 1, 'one');
    await client.waitForOrchestrationStart(id);
    await client.suspendOrchestration(id);
    await client.resumeOrchestration(id);
    await client.raiseOrchestrationEvent(id, 'go', 'now');
    const ended = await client.waitForOrchestrationCompletion(id);
    const again = await client.restartOrchestration(id);
    await client.terminateOrchestration(again, 'enough');
    await hub.idle();
    const state = await client.getOrchestrationState(id);
    const history = await Array.fromAsync(client.getOrchestrationHistory(id));

    assert.deepEqual([ended?.serializedOutput, state?.serializedOutput], ['"now"', '"enough"']);
    assert.ok(history.length > 0);
  });

  it('rewind, list and purge instances', async () => {
    await client.scheduleNewOrchestration('fail', undefined, 'two');
    await client.waitForOrchestrationCompletion('two');
    await client.rewindInstance('two', 'again');
    await hub.idle();
    const failed = await Array.fromAsync(
      client.getAllInstances({ statuses: [OrchestrationStatus.FAILED] }),
    );
    const listed = await client.listInstanceIds({ runtimeStatus: [OrchestrationStatus.FAILED] });
    const purged = await client.purgeOrchestration('two');

    assert.deepEqual(
      [failed.map(({ instanceId }) => instanceId), listed.values, purged.deletedInstanceCount],
      [['two'], ['two'], 1],
    );
  });

  it('keep an instance in a state that a start names', async () => {
    const { Completed, Failed } = OrchestrationRuntimeStatus;
    await client.startNew('fail', { instanceId: 'three' });
    await client.waitForOrchestrationCompletion('three');

    await assert.rejects(
      client.startNew('fail', { instanceId: 'three', dedupeStatuses: [Failed] }),
      OrchestrationAlreadyExistsError,
    );
    await assert.rejects(
      client.scheduleNewOrchestration('fail', 1, { instanceId: 'three', replaceableStatuses: [] }),
      { name: 'OrchestrationAlreadyExistsError', code: 'INSTANCE_ALREADY_EXISTS' },
    );
    const id = await client.startNew('fail', { instanceId: 'three', dedupeStatuses: [Completed] });

    assert.equal(id, 'three');
  });

  it('give links at the address that a request came to', () => {
    const request = new azureFunctions.HttpRequest({ method: 'GET', url: 'https://x.net/api/y' });

    const payloads = [
      client.createHttpManagementPayload(request, 'id'),
      client.getClientResponseLinks(request, 'id'),
      client.createHttpManagementPayload('id'),
    ];

    assert.deepEqual(
      payloads.map(({ statusQueryGetUri }) => statusQueryGetUri),
      ['https://x.net/id', 'https://x.net/id', 'http://localhost/id'],
    );
  });
});

function linksAt(
  request: HttpRequest | undefined,
  id: string,
): ReturnType<ConstructorParameters<typeof DurableClient>[0]['linksFor']> {
  const origin = request === undefined ? 'http://localhost' : new URL(request.url).origin;
  const url = `${origin}/${id}`;
  const rest = { purgeHistoryDeleteUri: url, restartPostUri: url, suspendPostUri: url };
  const first = Object.fromEntries(LINKS.map((name) => [name, url]));
  return { ...first, ...rest, resumePostUri: url, id } as ReturnType<typeof linksAt>;
}
