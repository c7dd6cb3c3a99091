import { TaskHubGrpcClient, NoOpLogger } from '@microsoft/durabletask-js';
import { TaskHubClient } from '../../src/client/index.ts';

/** What a workload needs of a client. */
export interface BenchClient {
  /** Starts an orchestration, waits for its end and returns its output as JSON. */
  run(orchestrator: string): Promise<string | undefined>;
  close(): Promise<void>;
}

export type Sdk = 'ours' | 'published';

export function openClient(sdk: Sdk, endpoint: string): BenchClient {
  return sdk === 'ours' ? openOurs(endpoint) : openPublished(endpoint);
}

function openOurs(endpoint: string): BenchClient {
  const client = TaskHubClient.open({ endpoint, taskHub: 'default' });
  return {
    async run(orchestrator) {
      const id = await client.scheduleNewOrchestration(orchestrator);
      return (await client.waitForOrchestrationCompletion(id))?.serializedOutput;
    },
    close: () => client.close(),
  };
}

function openPublished(endpoint: string): BenchClient {
  const hostAddress = new URL(endpoint).host;
  const client = new TaskHubGrpcClient({ hostAddress, logger: new NoOpLogger() });
  return {
    async run(orchestrator) {
      const id = await client.scheduleNewOrchestration(orchestrator);
      return (await client.waitForOrchestrationCompletion(id, true, 60))?.serializedOutput;
    },
    close: () => client.stop(),
  };
}
