/** A worker with traces in a process of its own: `node traced-worker.ts <endpoint>`; where to send them is in the environment. */
import { systemClock } from '../../../src/base/clock.ts';
import { openOtlp } from '../../../src/telemetry/otlp.ts';
import { createStreamLogger } from '../../../src/telemetry/logger.ts';
import type { CoreOrchestrationContext, TaskEntityOperation } from '../../../src/worker/index.ts';
import { RetryPolicy } from '../../../src/replay/core-retry.ts';
import { TaskHubWorker, whenAll } from '../../../src/worker/index.ts';

type Context = CoreOrchestrationContext;

const logger = createStreamLogger({
  level: 'info',
  format: 'text',
  write: (line) => process.stderr.write(line),
  now: () => systemClock.now(),
});

function* chain(context: Context) {
  const first = (yield context.callActivity('Add', 1)) as number;
  return (yield context.callActivity('Add', first)) as number;
}

function* fanOut(context: Context) {
  const tasks = [1, 2, 3].map((n) => context.callActivity('Add', n));
  return (yield whenAll(tasks)) as number[];
}

function* parent(context: Context) {
  return (yield context.callSubOrchestrator('Chain')) as number;
}

function* retry(context: Context) {
  const policy = new RetryPolicy({ maxNumberOfAttempts: 3, firstRetryIntervalInMilliseconds: 10 });
  return (yield context.callActivity('FailTwice', context.instanceId, { retry: policy })) as string;
}

function* interrupted(context: Context) {
  yield context.callActivity('Add', 1);
  yield context.waitForExternalEvent('go');
  yield context.createTimer(0.01);
  return (yield context.callActivity('Add', 2)) as number;
}

function* count(context: Context) {
  const mine = `@counter@${context.instanceId}`;
  context.entities.signalEntity(mine, 'add', 1);
  return (yield context.entities.callEntity(mine, 'add', 2)) as number;
}

function add({ state, getInput, context, name }: TaskEntityOperation): number {
  const sum = (state.getState<number>() ?? 0) + (getInput<number>() ?? 0);
  state.setState(sum);
  if (sum === 3) context.scheduleNewOrchestration('Chain');
  return name === 'add' ? sum : 0;
}

const failures = new Map<string, number>();

function failTwice(id: string): string {
  const count = failures.get(id) ?? 0;
  failures.set(id, count + 1);
  if (count < 2) throw new Error(`failure ${count + 1}`);
  return 'third time lucky';
}

async function main(): Promise<void> {
  const [endpoint = ''] = process.argv.slice(2);
  const traces = await openOtlp({ serviceName: 'traced-worker', env: process.env, logger });
  const worker = new TaskHubWorker({ endpoint, taskHub: 'default', logger });
  worker.addNamedOrchestrator('Chain', chain);
  worker.addNamedOrchestrator('FanOut', fanOut);
  worker.addNamedOrchestrator('Parent', parent);
  worker.addNamedOrchestrator('Retry', retry);
  worker.addNamedOrchestrator('Interrupted', interrupted);
  worker.addNamedOrchestrator('Count', count);
  worker.addNamedEntity('counter', () => ({ run: add }));
  worker.addNamedActivity('Add', (_, n: number) => n + 1);
  worker.addNamedActivity('FailTwice', (_, id: string) => failTwice(id));
  await worker.connected();
  process.once('SIGTERM', () => {
    void worker
      .stop()
      .then(() => traces?.close())
      .then(() => process.exit(0));
  });
  process.stdout.write(`${JSON.stringify({ grpc: endpoint })}\n`);
}

void main();
