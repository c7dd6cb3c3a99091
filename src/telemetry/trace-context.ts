/** W3C trace context (https://www.w3.org/TR/trace-context/), as it travels in the protocol's messages. */

/** A span somewhere else: what a `traceparent` names. */
export interface RemoteSpan {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
  readonly traceState: string | undefined;
}

const TRACE_PARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;
const SAMPLED = 0x01;

/** The span that a `traceparent` names; `undefined` when there is none or it is malformed. */
export function readTraceParent(
  traceParent: string | undefined,
  traceState?: string,
): RemoteSpan | undefined {
  const [, traceId, spanId, flags] = TRACE_PARENT.exec(traceParent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined;
  const isSampled = (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED;
  return { traceId, spanId, isSampled, traceState: traceState === '' ? undefined : traceState };
}

/** The `traceparent` that names a span. */
export function writeTraceParent({ traceId, spanId, isSampled }: RemoteSpan): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}

/** The fields of the protocol's `TraceContext` message for a span. */
export function toTraceContext(span: RemoteSpan): TraceContextFields {
  const { spanId, traceState } = span;
  return {
    traceParent: writeTraceParent(span),
    spanID: spanId,
    ...(traceState !== undefined && { traceState }),
  };
}

/** `TraceContext` of the protocol; `spanID` is deprecated there, but older .NET code reads it. */
export interface TraceContextFields {
  readonly traceParent: string;
  readonly spanID: string;
  readonly traceState?: string;
}
