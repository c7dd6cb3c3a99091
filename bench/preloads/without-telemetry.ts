/**
 * `--import` of a process that is to run without its telemetry: the modules that talk to OpenTelemetry are replaced by
 * empty ones before anything loads them. What is left is an empty call at each place that would have made a span or counted something.
 */
import { registerHooks } from 'node:module';

const inTelemetry = (name: string): string =>
  new URL(`../../src/telemetry/${name}`, import.meta.url).href;
const inPreloads = (name: string): string => new URL(name, import.meta.url).href;

const EMPTY: ReadonlyMap<string, string> = new Map([
  [inTelemetry('spans.ts'), inPreloads('no-spans.ts')],
  [inTelemetry('recorded-metrics.ts'), inPreloads('no-metrics.ts')],
]);

registerHooks({
  resolve(specifier, context, nextResolve) {
    const found = nextResolve(specifier, context);
    return { ...found, url: EMPTY.get(found.url) ?? found.url };
  },
});
