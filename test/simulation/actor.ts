/** What clients have in common: they call until there is an answer. */
import { TaskHubError } from '../../src/core/errors.ts';
import { TimeoutError } from '../../src/client/connection.ts';
import type { OrchestrationState } from '../../src/client/orchestration-state.ts';
import { statusName } from '../../src/core/instance.ts';
import type { TaskHubClient } from '../../src/client/task-hub-client.ts';
import { OrchestrationStatus as Status } from '../../src/proto/orchestrator_service_pb.ts';
import type { Outside } from './programs.ts';
import type { Random } from './random.ts';
import type { ProcessClock } from './sim-clock.ts';

/** Whoever calls about one instance. */
export interface Caller {
  readonly id: string;
  readonly client: TaskHubClient;
  readonly clock: Pick<ProcessClock, 'sleep'>;
}

export interface Actor extends Caller {
  readonly clock: ProcessClock;
  readonly random: Random;
  readonly outside: Outside;
}

export type Scenario = (actor: Actor) => Promise<void>;

/** The outcome of a call whose answer may be lost is not known: it may have happened or not. */
export function isUnknown(error: unknown): boolean {
  if (error instanceof TimeoutError) return true;
  return (
    error instanceof TaskHubError && ['UNAVAILABLE', 'RESOURCE_EXHAUSTED'].includes(error.code)
  );
}

/** Calls until there is an answer. `already` says which refusals of a later attempt mean "done before". */
export async function persist<T>(
  { clock }: Pick<Caller, 'clock'>,
  call: () => Promise<T>,
  already: { readonly code?: TaskHubError['code'] } = {},
): Promise<T | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const isRepeat = attempt > 1 && error instanceof TaskHubError && error.code === already.code;
      if (isRepeat) return undefined;
      if (!isUnknown(error)) throw error;
    }
    await clock.sleep(500);
  }
}

/** Starts an instance once: a repeated start finds it, also when it has ended meanwhile. */
export async function start(
  actor: Caller,
  name: string,
  input?: unknown,
  startAt?: Date,
): Promise<void> {
  const { client, id } = actor;
  const options = { instanceId: id, replaceableStatuses: [], ...(startAt && { startAt }) };
  await persist(actor, () => client.scheduleNewOrchestration(name, input, options), {
    code: 'INSTANCE_ALREADY_EXISTS',
  });
}

const ENDED: ReadonlySet<Status> = new Set([Status.COMPLETED, Status.FAILED, Status.TERMINATED]);

/** The state of an instance that has ended. */
export async function ended(actor: Caller, id = actor.id): Promise<OrchestrationState> {
  for (;;) {
    const state = await persist(actor, async () => {
      try {
        return await actor.client.waitForOrchestrationCompletion(id, true, { timeoutMs: 60_000 });
      } catch (error) {
        if (error instanceof TimeoutError) return undefined;
        throw error;
      }
    });
    if (state && ENDED.has(state.runtimeStatus)) return state;
  }
}

export function describe({
  instanceId,
  name,
  runtimeStatus,
  serializedOutput,
  failureDetails,
}: OrchestrationState): string {
  return `${name} '${instanceId}' is ${statusName(runtimeStatus)} with ${serializedOutput ?? 'nothing'} ${failureDetails?.message ?? ''}`;
}
