/**
 * Spans of durable work, made through the OpenTelemetry API alone: they go wherever the process's
 * own SDK sends them, and cost next to nothing when there is none.
 *
 * An orchestration outlives the process that began it, so its spans are recorded when they end, with
 * ids that were chosen when they began and travelled through the history meanwhile.
 */
import type { Attributes, Context, Span, SpanContext, SpanKind } from '@opentelemetry/api';
import {
  context,
  createTraceState,
  isSpanContextValid,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import type { RemoteSpan } from './trace-context.ts';

export { SpanKind } from '@opentelemetry/api';

/** The tracer of every Durable Task SDK. */
const TRACER = 'Microsoft.DurableTask';
const SAMPLED: number = TraceFlags.SAMPLED;

/** Why something failed, as a span shows it. */
export interface SpanFailure {
  readonly type: string;
  readonly message: string;
  readonly stack?: string | undefined;
}

/** Whatever was thrown, as a span shows it. */
export function describeFailure(thrown: unknown): SpanFailure {
  const { name, message, stack } = thrown instanceof Error ? thrown : new Error(String(thrown));
  return { type: name, message, stack };
}

/** A span that is over. */
export interface EndedSpan {
  readonly name: string;
  readonly kind: SpanKind;
  /** Epoch ms. */
  readonly startAt: number;
  readonly endAt: number;
  /** The id that others were told; a fresh one when nobody was. */
  readonly self?: RemoteSpan | undefined;
  /** `undefined`: `self` is the root of its trace. */
  readonly parent: RemoteSpan | undefined;
  readonly attributes: Attributes;
  readonly failure?: SpanFailure | undefined;
}

/** True when this process has a tracer provider: everything else may be left out otherwise. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider();
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the API has no other way to ask
  if (!(provider instanceof ProxyTracerProvider)) return true;
  return provider.getDelegateTracer(TRACER) !== undefined;
}

/** Whether the SDK would keep a trace that begins here. */
export function samplesRoot(name: string): boolean {
  // Never ended, so never exported.
  return tracer().startSpan(name, { root: true }, ROOT_CONTEXT).isRecording();
}

/** Records a span that is over, under the id that it had all along. */
export function recordSpan(ended: EndedSpan): void {
  const { name, kind, startAt, endAt, self, parent, attributes, failure } = ended;
  const above = parent ?? self;
  const within = above === undefined ? ROOT_CONTEXT : contextOf(above);
  const span = tracer().startSpan(name, { kind, startTime: startAt, attributes }, within);
  // What is not recorded may share its context with its parent: it is never touched.
  if (!span.isRecording()) return;
  if (self !== undefined) renameSpan(span, self, parent);
  if (failure !== undefined) failSpan(span, failure, endAt);
  span.end(endAt);
}

/**
 * The API has no way to give an id to a span, and none to leave out the parent of one whose trace id
 * is given; the SDK keeps both in plain objects. One that did not would get spans with ids of their
 * own, in the right trace.
 */
function renameSpan(span: Span, self: RemoteSpan, parent: RemoteSpan | undefined): void {
  span.spanContext().spanId = self.spanId;
  if (parent === undefined) Object.assign(span, { parentSpanContext: undefined });
}

/** A span around something that runs now, in this process. */
export interface LiveSpan {
  /** Where the span's own context is to be handed on. */
  readonly remote: RemoteSpan;
  /** Runs code with this span as the active one. */
  run<T>(work: () => T): T;
  end(failure?: SpanFailure): void;
}

export interface StartSpanOptions {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  /** Somewhere else; the active span of this process when it is left out. */
  readonly parent?: RemoteSpan | undefined;
}

/**
 * Starts a span; `undefined` when there is no tracer provider. One of a trace that is not kept records
 * nothing, but is handed on like any other: whoever comes below must not decide anew.
 */
export function startSpan(options: StartSpanOptions): LiveSpan | undefined {
  if (!isTracing()) return undefined;
  const { name, kind, attributes, parent } = options;
  const within =
    parent === undefined
      ? context.active()
      : trace.setSpanContext(context.active(), toSpanContext(parent));
  const span = tracer().startSpan(name, { kind, attributes }, within);
  // A provider that knows no ids (it was switched off) has nothing to hand on.
  if (!isSpanContextValid(span.spanContext())) return undefined;
  return liveSpan(span, trace.setSpan(within, span));
}

function liveSpan(span: Span, own: Context): LiveSpan {
  return {
    remote: toRemoteSpan(span.spanContext()),
    run: (work) => context.with(own, work),
    end: (failure) => {
      if (failure !== undefined) failSpan(span, failure);
      span.end();
    },
  };
}

/** The active span of this process, if there is one. */
export function activeSpan(): RemoteSpan | undefined {
  const active = trace.getSpanContext(context.active());
  return active === undefined ? undefined : toRemoteSpan(active);
}

function failSpan(span: Span, { type, message, stack }: SpanFailure, at?: number): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.recordException({ name: type, message, ...(stack !== undefined && { stack }) }, at);
}

function tracer(): ReturnType<typeof trace.getTracer> {
  return trace.getTracer(TRACER);
}

/** A context whose span is that one. */
export function contextOf(span: RemoteSpan): Context {
  return trace.setSpanContext(ROOT_CONTEXT, toSpanContext(span));
}

function toSpanContext({ traceId, spanId, isSampled, traceState }: RemoteSpan): SpanContext {
  return {
    traceId,
    spanId,
    isRemote: true,
    traceFlags: isSampled ? SAMPLED : TraceFlags.NONE,
    ...(traceState !== undefined && { traceState: createTraceState(traceState) }),
  };
}

function toRemoteSpan(span: SpanContext): RemoteSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    isSampled: hasSampledFlag(span.traceFlags),
    traceState: span.traceState?.serialize(),
  };
}

function hasSampledFlag(flags: number): boolean {
  return (flags & SAMPLED) === SAMPLED;
}
