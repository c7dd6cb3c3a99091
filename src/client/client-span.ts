import type { Attributes } from '@opentelemetry/api';
import type { TraceParentOptions } from './client-options.ts';
import { ATTRIBUTE, eventSpanName, taskSpanName } from '../telemetry/span-names.ts';
import type { TraceContextFields } from '../telemetry/trace-context.ts';
import { readTraceParent, toTraceContext } from '../telemetry/trace-context.ts';
import { activeSpan, describeFailure, SpanKind, startSpan } from '../telemetry/spans.ts';

export interface ClientSpanOptions extends TraceParentOptions {
  readonly name: string;
  readonly attributes: Attributes;
}

/**
 * Makes a call within a span of its own. `call` gets the trace context to send along: of that span,
 * or of whatever the caller is part of when this process keeps no traces.
 */
export async function withClientSpan<T>(
  { name, attributes, traceParent, traceState }: ClientSpanOptions,
  call: (context: TraceContextFields | undefined) => Promise<T>,
): Promise<T> {
  const active = activeSpan();
  const parent = active === undefined ? readTraceParent(traceParent, traceState) : undefined;
  const span = startSpan({ name, kind: SpanKind.PRODUCER, attributes, parent });
  const remote = span?.remote ?? active ?? parent;
  const work = (): Promise<T> => call(remote === undefined ? undefined : toTraceContext(remote));
  if (span === undefined) return work();
  try {
    const result = await span.run(work);
    span.end();
    return result;
  } catch (error) {
    span.end(describeFailure(error));
    throw error;
  }
}

/** The span of a start. */
export function startSpanOf(request: {
  readonly name: string;
  readonly version: string | undefined;
  readonly instanceId: string;
}): ClientSpanOptions {
  const { name, version, instanceId } = request;
  return {
    name: taskSpanName('create_orchestration', name, version),
    attributes: {
      [ATTRIBUTE.type]: 'orchestration',
      [ATTRIBUTE.name]: name,
      ...(version !== undefined && { [ATTRIBUTE.version]: version }),
      [ATTRIBUTE.instanceId]: instanceId,
    },
  };
}

/** The span of an event that is sent to an instance. */
export function raiseSpanOf(instanceId: string, eventName: string): ClientSpanOptions {
  return {
    name: eventSpanName(eventName),
    attributes: { [ATTRIBUTE.type]: 'event', [ATTRIBUTE.eventTarget]: instanceId },
  };
}
