import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampFromDate, timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { EntityInstanceId } from '../core/entity-instance-id.ts';
import type { EntityTarget } from '../core/entity-instance-id.ts';
import type { OperationActionSchema } from '../proto/orchestrator_service_pb.ts';
import { encodePayload } from '../replay/json.ts';
import { activeSpan } from '../telemetry/spans.ts';
import { toTraceContext, type TraceContextFields } from '../telemetry/trace-context.ts';
import type { EntityStartOptions, TaskEntityContext } from './task-entity.ts';

type Action = MessageInitShape<typeof OperationActionSchema>;
type ActionType = NonNullable<Action['operationActionType']>;

/** What the operations of a batch ask for; a failed one's share is taken back. */
export class EntityEffects implements TaskEntityContext {
  readonly id: EntityInstanceId;
  readonly #clock: Clock;
  readonly #ids: IdSource;
  #actions: Action[] = [];
  #committedCount = 0;

  constructor(
    id: EntityInstanceId,
    { clock, ids }: { readonly clock: Clock; readonly ids: IdSource },
  ) {
    this.id = id;
    this.#clock = clock;
    this.#ids = ids;
  }

  /** In the order in which they were asked for. */
  get actions(): readonly Action[] {
    return this.#actions;
  }

  signalEntity(
    target: EntityTarget,
    operationName: string,
    input?: unknown,
    options: { readonly signalTime?: Date | undefined } = {},
  ): void {
    assertGiven(operationName, 'signalEntity', 'operationName');
    const instanceId = EntityInstanceId.of(target).toString();
    const what = `The input of operation '${operationName}' of entity '${instanceId}'`;
    const value = {
      ...spanContext(),
      instanceId,
      name: operationName,
      ...optional(encodePayload(input, what), options.signalTime),
      requestTime: this.#now(),
    };
    this.#add({ case: 'sendSignal', value });
  }

  scheduleNewOrchestration(
    name: string,
    input?: unknown,
    options: EntityStartOptions = {},
  ): string {
    assertGiven(name, 'scheduleNewOrchestration', 'name');
    const instanceId = options.instanceId ?? this.#ids.uuid();
    const value = {
      ...spanContext(),
      instanceId,
      name,
      ...(options.version === undefined ? {} : { version: options.version }),
      ...optional(encodePayload(input, `The input of orchestrator '${name}'`), options.startAt),
      requestTime: this.#now(),
    };
    this.#add({ case: 'startNewOrchestration', value });
    return instanceId;
  }

  commit(): void {
    this.#committedCount = this.#actions.length;
  }

  rollback(): void {
    this.#actions = this.#actions.slice(0, this.#committedCount);
  }

  #add(operationActionType: ActionType): void {
    this.#actions.push({ id: this.#actions.length, operationActionType });
  }

  #now(): Timestamp {
    return timestampFromMs(this.#clock.now());
  }
}

function optional(
  input: string | undefined,
  at: Date | undefined,
): { input?: string; scheduledTime?: Timestamp } {
  return {
    ...(input === undefined ? {} : { input }),
    ...(at === undefined ? {} : { scheduledTime: timestampFromDate(at) }),
  };
}

function assertGiven(value: string, method: string, name: string): void {
  if (!value) throw new Error(`${method}: '${name}' is required and cannot be empty.`);
}

/** What an operation sends belongs to its own span. */
function spanContext(): { readonly parentTraceContext?: TraceContextFields } {
  const span = activeSpan();
  return span === undefined ? {} : { parentTraceContext: toTraceContext(span) };
}
