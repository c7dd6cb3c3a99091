import { performance } from 'node:perf_hooks';
import { systemClock } from '../../src/base/clock.ts';
import { TaskHubClient } from '../../src/client/index.ts';

/** How long orchestrations took from start to end, in ms. */
export interface Latency {
  readonly count: number;
  readonly median: number;
  readonly p95: number;
}

export function latencyOf(samples: readonly number[]): Latency {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (part: number): number => Math.round(sorted[Math.floor(sorted.length * part)] ?? NaN);
  return { count: sorted.length, median: at(0.5), p95: at(0.95) };
}

/** Runs one small orchestration after the other, with a pause between, until the signal aborts. */
export async function probe(
  { endpoint, taskHub }: { readonly endpoint: string; readonly taskHub: string },
  { pauseMs, signal }: { readonly pauseMs: number; readonly signal: AbortSignal },
): Promise<readonly number[]> {
  const client = TaskHubClient.open({ endpoint, taskHub });
  const samples: number[] = [];
  try {
    while (!signal.aborted) {
      const since = performance.now();
      const id = await client.scheduleNewOrchestration('Work', 1);
      await client.waitForOrchestrationCompletion(id);
      samples.push(performance.now() - since);
      await systemClock.sleepUntil(systemClock.now() + pauseMs, { signal }).catch(() => undefined);
    }
    return samples;
  } finally {
    await client.close();
  }
}

/** Orchestrations a second when `width` of them are always under way. */
export async function capacity(
  { endpoint, taskHub }: { readonly endpoint: string; readonly taskHub: string },
  { width, durationMs }: { readonly width: number; readonly durationMs: number },
): Promise<number> {
  const client = TaskHubClient.open({ endpoint, taskHub });
  const since = performance.now();
  let count = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < since + durationMs) {
      const id = await client.scheduleNewOrchestration('Work', 1);
      await client.waitForOrchestrationCompletion(id);
      count += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: width }, lane));
    return (count * 1000) / (performance.now() - since);
  } finally {
    await client.close();
  }
}
