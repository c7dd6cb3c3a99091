import type { ActivityRequest } from '../proto/orchestrator_service_pb.ts';
import { ATTRIBUTE, taskSpanName } from '../telemetry/span-names.ts';
import type { LiveSpan } from '../telemetry/spans.ts';
import { SpanKind, startSpan } from '../telemetry/spans.ts';
import { readTraceParent } from '../telemetry/trace-context.ts';

/** The span of one run of an activity, below the one that its orchestrator gave the step. */
export function startActivitySpan(request: ActivityRequest): LiveSpan | undefined {
  const { name, version, taskId, orchestrationInstance, parentTraceContext: context } = request;
  return startSpan({
    name: taskSpanName('activity', name, version),
    kind: SpanKind.SERVER,
    parent: readTraceParent(context?.traceParent, context?.traceState),
    attributes: {
      [ATTRIBUTE.type]: 'activity',
      [ATTRIBUTE.name]: name,
      ...(version !== undefined && { [ATTRIBUTE.version]: version }),
      [ATTRIBUTE.instanceId]: orchestrationInstance?.instanceId ?? '',
      [ATTRIBUTE.taskId]: taskId,
    },
  });
}
