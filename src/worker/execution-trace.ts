import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { Attributes } from '@opentelemetry/api';
import type { IdSource } from '../base/ids.ts';
import type {
  ExecutionStartedEvent,
  HistoryEvent,
  OrchestrationTraceContext,
  OrchestratorAction,
  SendEntityMessageAction,
} from '../proto/orchestrator_service_pb.ts';
import {
  OrchestrationTraceContextSchema,
  TraceContextSchema,
} from '../proto/orchestrator_service_pb.ts';
import { ATTRIBUTE, entitySpanName, eventSpanName, taskSpanName } from '../telemetry/span-names.ts';
import type { EndedSpan } from '../telemetry/spans.ts';
import { isTracing, samplesRoot, SpanKind } from '../telemetry/spans.ts';
import type { RemoteSpan } from '../telemetry/trace-context.ts';
import { readTraceParent, toTraceContext } from '../telemetry/trace-context.ts';
import { carryTrace } from '../wire/entity-trace.ts';
import { operationAttributes } from './entity-spans.ts';
import { failureOf, statusNameOf } from './span-outcome.ts';
import type { OpenStep, StepKey } from './traced-steps.ts';
import { endedStep, keyOf, openCall, openedStep, openLock, stepEnd } from './traced-steps.ts';

export interface ExecutionTraceOptions {
  readonly started: ExecutionStartedEvent;
  readonly instanceId: string;
  readonly executionId: string;
  /** What the response of an earlier turn said; the identity of the orchestration's span. */
  readonly known: OrchestrationTraceContext | undefined;
  readonly pastEvents: readonly HistoryEvent[];
  readonly now: number;
  readonly ids: IdSource;
}

/**
 * The trace of one execution: gives what it schedules a span id each, and knows the spans that end
 * with the events of a turn. Kept between turns with the live session, rebuilt from history without
 * it: a step's span id and start are in its own history event. So whoever runs which turn, every
 * span is recorded once, by the turn in whose new events it ends, with the parent that it had.
 */
export class ExecutionTrace {
  readonly #options: ExecutionTraceOptions;
  readonly #parent: RemoteSpan | undefined;
  readonly #self: RemoteSpan;
  readonly #startedAt: number;
  readonly #open = new Map<StepKey, OpenStep>();

  private constructor(options: ExecutionTraceOptions, self: RemoteSpan, startedAt: number) {
    this.#options = options;
    this.#self = self;
    this.#startedAt = startedAt;
    this.#parent = parentOf(options.started);
    if (self.isSampled) for (const event of options.pastEvents) this.#learn(event);
  }

  /** `undefined` when this process makes no traces. One that is not kept is only handed on. */
  static open(options: ExecutionTraceOptions): ExecutionTrace | undefined {
    if (!isTracing()) return undefined;
    const { started, known, executionId, ids, now } = options;
    const parent = parentOf(started);
    const isSampled = parent?.isSampled ?? (known !== undefined || samplesNew(options));
    const self = {
      traceId: parent?.traceId ?? traceIdOf(executionId),
      spanId: known?.spanID ?? newSpanId(ids),
      isSampled,
      traceState: parent?.traceState,
    };
    return new ExecutionTrace(options, self, atOf(known?.spanStartTime) ?? now);
  }

  /** The span of the execution, which may be one that is not kept. */
  get span(): RemoteSpan {
    return this.#self;
  }

  /** For the response: what lets the next turn, wherever it runs, go on with the same span if there is one. */
  get context(): OrchestrationTraceContext | undefined {
    if (!this.#self.isSampled) return undefined;
    return create(OrchestrationTraceContextSchema, {
      spanID: this.#self.spanId,
      spanStartTime: timestampFromMs(this.#startedAt),
    });
  }

  /**
   * Marks what a turn schedules with its trace context. Returns the spans that ended with the turn:
   * to be recorded once the scheduler has taken it, and forgotten when it has not.
   */
  turn(
    newEvents: readonly HistoryEvent[],
    actions: readonly OrchestratorAction[],
    now: number,
  ): EndedSpan[] {
    if (!this.#self.isSampled) {
      for (const action of actions) this.#handOn(action);
      return [];
    }
    // The scheduler's clock for what it will stamp itself, so that steps do not begin before their turn.
    const turnAt = turnStart(newEvents) ?? now;
    const steps = newEvents.flatMap((event) => this.#end(event, turnAt) ?? []);
    const begun = actions.flatMap((action) => this.#begin(action, turnAt) ?? []);
    return [...steps, ...begun, ...actions.flatMap((action) => this.#complete(action, now) ?? [])];
  }

  /** Tells what an action schedules that its trace is not kept. */
  #handOn({ orchestratorActionType: { case: kind, value } }: OrchestratorAction): void {
    const context = toTraceContext(this.#self);
    if (kind === 'scheduleTask' || kind === 'createSubOrchestration') {
      value.parentTraceContext = create(TraceContextSchema, context);
    } else if (kind === 'sendEntityMessage') {
      const { case: message, value: operation } = value.EntityMessageType;
      if (message === 'entityOperationCalled' || message === 'entityOperationSignaled') {
        carryTrace(operation, context);
      }
    }
  }

  #learn(event: HistoryEvent): void {
    const step = openedStep(event);
    if (step !== undefined) this.#open.set(keyOf(event), step);
    const end = stepEnd(event);
    if (end !== undefined) this.#open.delete(end.key);
  }

  #end(event: HistoryEvent, now: number): EndedSpan | undefined {
    const end = stepEnd(event);
    const step = end === undefined ? undefined : this.#open.get(end.key);
    if (end === undefined || step === undefined) return undefined;
    this.#open.delete(end.key);
    const { instanceId, started } = this.#options;
    return endedStep(step, {
      key: end.key,
      instanceId,
      orchestration: started.name,
      parent: this.#self,
      endAt: atOf(event.timestamp) ?? now,
      failure: end.failure,
    });
  }

  /** Notes what an action opens; returns the span of one that is over at once. */
  #begin(action: OrchestratorAction, now: number): EndedSpan | undefined {
    const { case: kind, value } = action.orchestratorActionType;
    switch (kind) {
      case 'scheduleTask':
      case 'createSubOrchestration': {
        const span = { ...this.#self, spanId: newSpanId(this.#options.ids) };
        value.parentTraceContext = create(TraceContextSchema, toTraceContext(span));
        const type = kind === 'scheduleTask' ? 'activity' : 'orchestration';
        const { name, version } = value;
        this.#open.set(action.id, { type, name, version, startAt: now, self: span });
        return undefined;
      }
      case 'createTimer':
        this.#open.set(action.id, {
          type: 'timer',
          fireAt: atOf(value.fireAt) ?? now,
          startAt: now,
        });
        return undefined;
      case 'sendEntityMessage':
        return this.#message(value, now);
      case 'sendEvent':
        return this.#event(value.name, value.instance?.instanceId ?? '', now);
      default:
        return undefined;
    }
  }

  /** A message to an entity: a call and a lock request wait for their answer, a signal is over at once. */
  #message(
    { EntityMessageType: message }: SendEntityMessageAction,
    now: number,
  ): EndedSpan | undefined {
    const span = { ...this.#self, spanId: newSpanId(this.#options.ids) };
    switch (message.case) {
      case 'entityOperationCalled': {
        const call = carryTrace(message.value, toTraceContext(span));
        this.#open.set(call.requestId, openCall(call, now));
        return undefined;
      }
      case 'entityOperationSignaled': {
        const { operation, targetInstanceId = '' } = carryTrace(
          message.value,
          toTraceContext(span),
        );
        const attributes = operationAttributes(targetInstanceId, operation);
        const name = entitySpanName('signal_entity', operation);
        const times = { startAt: now, endAt: now };
        return {
          name,
          kind: SpanKind.PRODUCER,
          ...times,
          self: span,
          parent: this.#self,
          attributes,
        };
      }
      case 'entityLockRequested':
        this.#open.set(message.value.criticalSectionId, openLock(now));
        return undefined;
      default:
        return undefined;
    }
  }

  #event(name: string, target: string, now: number): EndedSpan {
    const attributes = { [ATTRIBUTE.type]: 'event', [ATTRIBUTE.eventTarget]: target };
    const times = { startAt: now, endAt: now };
    return {
      name: eventSpanName(name),
      kind: SpanKind.PRODUCER,
      ...times,
      parent: this.#self,
      attributes: { ...attributes, [ATTRIBUTE.instanceId]: this.#options.instanceId },
    };
  }

  /** The span of the whole execution, when an action ends it. */
  #complete(
    { orchestratorActionType: action }: OrchestratorAction,
    now: number,
  ): EndedSpan | undefined {
    if (action.case !== 'completeOrchestration') return undefined;
    const { orchestrationStatus, failureDetails } = action.value;
    const { name, version } = this.#options.started;
    const endAt = Math.max(now, this.#startedAt);
    return {
      name: taskSpanName('orchestration', name, version),
      kind: SpanKind.SERVER,
      startAt: this.#startedAt,
      endAt,
      self: this.#self,
      parent: this.#parent,
      attributes: this.#attributes(statusNameOf(orchestrationStatus)),
      failure: failureOf(failureDetails),
    };
  }

  #attributes(status: string): Attributes {
    const { started, instanceId, executionId } = this.#options;
    return {
      [ATTRIBUTE.type]: 'orchestration',
      [ATTRIBUTE.name]: started.name,
      ...(started.version !== undefined && { [ATTRIBUTE.version]: started.version }),
      [ATTRIBUTE.instanceId]: instanceId,
      [ATTRIBUTE.executionId]: executionId,
      [ATTRIBUTE.status]: status,
    };
  }
}

/** A trace that begins with this execution is kept or not from its first turn on. */
function samplesNew({ started, pastEvents }: ExecutionTraceOptions): boolean {
  return pastEvents.length === 0 && samplesRoot(taskSpanName('orchestration', started.name));
}

function parentOf({ parentTraceContext }: ExecutionStartedEvent): RemoteSpan | undefined {
  return readTraceParent(parentTraceContext?.traceParent, parentTraceContext?.traceState);
}

/** An execution that nobody else traces has a trace of its own, the same on every worker. */
function traceIdOf(executionId: string): string {
  const digits = executionId.replaceAll('-', '').toLowerCase();
  if (/^[0-9a-f]{32}$/.test(digits)) return digits;
  return createHash('sha256').update(executionId).digest('hex').slice(0, 32);
}

function newSpanId(ids: IdSource): string {
  return ids.hex32().slice(0, 16);
}

function turnStart(newEvents: readonly HistoryEvent[]): number | undefined {
  const started = newEvents.findLast(({ eventType }) => eventType.case === 'orchestratorStarted');
  return atOf(started?.timestamp);
}

function atOf(time: Timestamp | undefined): number | undefined {
  return time === undefined ? undefined : timestampMs(time);
}
