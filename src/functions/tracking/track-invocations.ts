import type { Clock } from '../../base/clock.ts';
import type { ActivityInvoker } from '../../worker/registry.ts';
import type { EntityFactory, TaskEntityOperation } from '../../worker/task-entity.ts';
import type { Tracker } from './tracker.ts';
import { sizeOf } from './tracker.ts';

/** An activity whose runs are tracked. */
export function trackedActivity(invoke: ActivityInvoker, tracker: Tracker): ActivityInvoker {
  return async (invocation) => {
    const { name: functionName, instanceId, taskId, serializedInput } = invocation;
    const of = { instanceId, functionName, functionType: 'Activity' } as const;
    const taskEventId = String(taskId);
    tracker.track({
      ...{ ...of, state: 'Started', text: 'started' },
      fields: { input: sizeOf(serializedInput), taskEventId },
    });
    try {
      const result = await invoke(invocation);
      tracker.track({
        ...{ ...of, state: 'Completed', text: 'completed' },
        fields: { output: sizeOf(result), taskEventId },
      });
      return result;
    } catch (error) {
      tracker.track({
        ...{ ...of, state: 'Failed', text: 'failed with an error' },
        fields: { reason: messageOf(error), taskEventId },
      });
      throw error;
    }
  };
}

/** An entity whose operations are tracked. */
export function trackedEntity(
  name: string,
  make: EntityFactory,
  { tracker, clock }: { readonly tracker: Tracker; readonly clock: Clock },
): EntityFactory {
  return (id) => {
    const entity = make(id);
    const of = { instanceId: id.toString(), functionName: name, functionType: 'Entity' } as const;
    const run = async (operation: TaskEntityOperation): Promise<unknown> => {
      const startedAt = clock.now();
      const fields = (): Record<string, string> => ({
        operationName: operation.name,
        duration: String(clock.now() - startedAt),
      });
      try {
        const result = await entity.run(operation);
        const text = `completed '${operation.name}' operation`;
        tracker.track({ ...of, state: 'Completed', text, fields: fields() });
        return result;
      } catch (error) {
        const text = `failed '${operation.name}' operation`;
        const told = { ...fields(), exception: messageOf(error) };
        tracker.track({ ...of, state: 'Failed', text, fields: told });
        throw error;
      }
    };
    return { run };
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
