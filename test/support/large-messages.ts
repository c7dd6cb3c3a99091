/** Workloads whose messages and histories are larger than a gRPC message may be. */
import assert from 'node:assert/strict';
import { TaskHubClient } from '../../src/client/index.ts';
import { TaskHubWorker, whenAll } from '../../src/worker/index.ts';

export interface FanInOptions {
  readonly endpoint: string;
  /** Activities, all asked for in the first turn. */
  readonly count: number;
  /** Characters of each result. */
  readonly size: number;
  /** Called after each tenth of the results. */
  readonly onProgress?: (done: number) => void;
}

export interface FanInResult {
  readonly historyBytes: number;
  readonly historyEvents: number;
}

/**
 * One orchestration that gathers `count` results of `size` characters. When all are in, its worker is replaced by
 * one that has nothing in memory, so that the whole history must reach it; an event then lets it end.
 */
export async function gatherLargeResults(options: FanInOptions): Promise<FanInResult> {
  const { endpoint, count, size } = options;
  const client = TaskHubClient.open({ endpoint, taskHub: 'default' });
  let worker = openWorker(options);
  await worker.start();
  try {
    const id = await client.scheduleNewOrchestration('Gather', { count, size });
    await untilGathered(client, id);
    await worker.stop();
    worker = openWorker(options);
    await worker.start();
    await client.raiseOrchestrationEvent(id, 'finish');
    const state = await client.waitForOrchestrationCompletion(id, true, { timeoutMs: 300_000 });
    assert.equal(state?.serializedOutput, JSON.stringify({ count, characters: count * size }));
    return await measureHistory(client, id);
  } finally {
    await worker.stop();
    await client.close();
  }
}

function openWorker({ endpoint, count, onProgress }: FanInOptions): TaskHubWorker {
  const worker = new TaskHubWorker({ endpoint, taskHub: 'default' });
  let done = 0;
  worker.addNamedOrchestrator(
    'Gather',
    async function* (
      context,
      input: { count: number; size: number },
    ): AsyncGenerator<unknown, unknown, never> {
      const tasks = Array.from({ length: input.count }, () =>
        context.callActivity('Produce', input.size),
      );
      const results: readonly string[] = yield whenAll(tasks);
      context.setCustomStatus('gathered');
      yield context.waitForExternalEvent('finish');
      const characters = results.reduce((sum, text) => sum + text.length, 0);
      return { count: results.length, characters };
    },
  );
  worker.addNamedActivity('Produce', (_context, size: number) => {
    done += 1;
    if (done % Math.max(1, Math.floor(count / 10)) === 0) onProgress?.(done);
    return 'x'.repeat(size);
  });
  return worker;
}

async function untilGathered(client: TaskHubClient, id: string): Promise<void> {
  for (;;) {
    const state = await client.getOrchestrationState(id, true);
    if (state?.serializedCustomStatus === '"gathered"') return;
    assert.ok(!state?.failureDetails, state?.failureDetails?.message);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function measureHistory(client: TaskHubClient, id: string): Promise<FanInResult> {
  let historyBytes = 0;
  let historyEvents = 0;
  for await (const event of client.getOrchestrationHistory(id)) {
    historyEvents += 1;
    if (event.eventType.case === 'taskCompleted') {
      historyBytes += event.eventType.value.result?.length ?? 0;
    }
  }
  return { historyBytes, historyEvents };
}
