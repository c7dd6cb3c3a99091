/**
 * What one call of each telemetry hook costs in a process without an SDK, in ns: the least of many batches, which other
 * work on the machine disturbs least. `node bench/telemetry-hooks.ts`
 */
import { recordCall, recordMetric } from '../src/telemetry/recorded-metrics.ts';
import { activeSpan, isTracing, SpanKind, startSpan } from '../src/telemetry/spans.ts';

const BATCHES = 200;
const CALLS = 20_000;

const HOOKS: Readonly<Record<string, () => unknown>> = {
  isTracing,
  activeSpan,
  startSpan: () => startSpan({ name: 'x', kind: SpanKind.SERVER, attributes: { a: 'b' } }),
  recordMetric: () => recordMetric('workInHand', 1, { task_hub: 'h', kind: 'activity' }),
  recordCall: () =>
    recordCall('clientCallDuration', { service: 's', method: 'm', code: 0, durationMs: 1 }),
};

for (const [name, hook] of Object.entries(HOOKS)) {
  let leastMs = Infinity;
  for (let batch = 0; batch < BATCHES; batch++) {
    const startedAt = performance.now();
    for (let call = 0; call < CALLS; call++) hook();
    leastMs = Math.min(leastMs, performance.now() - startedAt);
  }
  process.stdout.write(`${name.padEnd(14)} ${((leastMs * 1e6) / CALLS).toFixed(0)} ns\n`);
}
