import type { DescMethod } from '@bufbuild/protobuf';
import { describeFailure, SpanKind, startSpan } from '../../telemetry/spans.ts';
import { readTraceParent } from '../../telemetry/trace-context.ts';
import type { CallContext } from './call-context.ts';

/**
 * Answers a call, within a span below the one that the caller says it is part of. Calls without one,
 * those of workers among them, would only begin traces that nobody looks for.
 */
export async function withCallSpan<T>(
  method: DescMethod,
  { traceParent, taskHub }: CallContext,
  answer: () => Promise<T>,
): Promise<T> {
  const parent = readTraceParent(traceParent);
  if (parent === undefined) return answer();
  const span = startSpan({
    name: `${method.parent.name}/${method.name}`,
    kind: SpanKind.SERVER,
    parent,
    attributes: {
      'rpc.system': 'grpc',
      'rpc.service': method.parent.typeName,
      'rpc.method': method.name,
      'durabletask.task_hub': taskHub,
    },
  });
  try {
    const reply = await answer();
    span?.end();
    return reply;
  } catch (error) {
    span?.end(describeFailure(error));
    throw error;
  }
}
