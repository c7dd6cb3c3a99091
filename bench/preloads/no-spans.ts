/** `src/telemetry/spans.ts` with nothing behind it: what `without-telemetry.ts` puts in its place. */
import type * as spans from '../../src/telemetry/spans.ts';

type Spans = typeof spans;

export const SpanKind = { INTERNAL: 0, SERVER: 1, CLIENT: 2, PRODUCER: 3, CONSUMER: 4 } as const;

export const isTracing: Spans['isTracing'] = () => false;
export const samplesRoot: Spans['samplesRoot'] = () => false;
export const recordSpan: Spans['recordSpan'] = () => undefined;
export const startSpan: Spans['startSpan'] = () => undefined;
export const activeSpan: Spans['activeSpan'] = () => undefined;
export const contextOf: Spans['contextOf'] = () => {
  throw new Error('nothing is recorded here');
};
export const describeFailure: Spans['describeFailure'] = () => ({ type: '', message: '' });
