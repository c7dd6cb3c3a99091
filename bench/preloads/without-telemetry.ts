/**
 * `--import` of a process that is to run without its telemetry: the modules that talk to OpenTelemetry are replaced by
 * empty ones before anything loads them. What is left is an empty call at each place that would have made a span.
 */
import { registerHooks } from 'node:module';

const EMPTY: ReadonlyMap<string, string> = new Map([
  [
    new URL('../../src/telemetry/spans.ts', import.meta.url).href,
    new URL('./no-spans.ts', import.meta.url).href,
  ],
]);

registerHooks({
  resolve(specifier, context, nextResolve) {
    const found = nextResolve(specifier, context);
    return { ...found, url: EMPTY.get(found.url) ?? found.url };
  },
});
