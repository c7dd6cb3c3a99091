import assert from 'node:assert/strict';
import { systemClock } from '../../../src/base/clock.ts';
import type { OrchestrationState } from '../../../src/client/index.ts';
import { OrchestrationStatus, TaskHubClient, TaskHubError } from '../../../src/client/index.ts';

/** What hello-worker.ts must answer for a traveller. */
export function greetingsOf(traveller: number): string[] {
  return ['Tokyo', 'Seattle', 'London'].map((city) => `Hello ${city} from ${traveller}!`);
}

const never = new AbortController().signal;

/** Many HelloCities orchestrations, one per traveller, and what became of them. */
export class Travellers {
  readonly #client: TaskHubClient;
  readonly #ids = new Map<string, number>();
  readonly #returned = new Set<string>();
  #waits: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(endpoint: string) {
    this.#client = TaskHubClient.open({ endpoint, taskHub: 'default' });
  }

  /** Starts one orchestration per traveller; all are acknowledged when this resolves. */
  async start(count: number): Promise<void> {
    const numbers = Array.from({ length: count }, (_, index) => index);
    await Promise.all(
      numbers.map(async (number) => {
        const id = await this.#client.scheduleNewOrchestration('HelloCities', number);
        this.#ids.set(id, number);
      }),
    );
    this.#waits = Promise.all([...this.#ids.keys()].map((id) => this.#untilEnded(id)));
    // A failure is seen by who waits for all of them.
    this.#waits.catch(() => undefined);
  }

  get returnedCount(): number {
    return this.#returned.size;
  }

  /** Resolves when so many have ended. */
  async someReturned(count: number): Promise<void> {
    const lateAt = systemClock.now() + 15_000;
    while (this.#returned.size < count) {
      assert.ok(systemClock.now() < lateAt, `only ${this.#returned.size} of ${count} have ended`);
      await systemClock.sleepUntil(systemClock.now() + 2, { signal: never });
    }
  }

  async allReturned(): Promise<void> {
    await this.#waits;
  }

  /** Each has completed with its own greetings, and its history holds each result once. */
  async assertRight(): Promise<void> {
    for (const [id, traveller] of this.#ids) {
      const state = await this.#client.getOrchestrationState(id);
      assert.equal(state?.runtimeStatus, OrchestrationStatus.COMPLETED);
      assert.deepEqual(JSON.parse(state.serializedOutput ?? ''), greetingsOf(traveller));
      await this.#assertHistory(id, traveller);
    }
  }

  async #assertHistory(id: string, traveller: number): Promise<void> {
    const results: unknown[] = [];
    const seen: string[] = [];
    for await (const { eventType } of this.#client.getOrchestrationHistory(id)) {
      seen.push(eventType.case ?? '');
      if (eventType.case === 'taskCompleted') {
        results.push(JSON.parse(eventType.value.result ?? ''));
      }
    }
    const count = (kind: string): number => seen.filter((each) => each === kind).length;
    assert.deepEqual(results, greetingsOf(traveller));
    assert.equal(count('executionStarted'), 1);
    assert.equal(count('taskScheduled'), 3);
    assert.equal(count('executionCompleted'), 1);
    assert.equal(count('taskFailed'), 0);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#client.close();
  }

  /** Waits however often the scheduler goes away meanwhile. */
  async #untilEnded(id: string): Promise<OrchestrationState | undefined> {
    const lateAt = systemClock.now() + 40_000;
    for (;;) {
      try {
        const state = await this.#client.waitForOrchestrationCompletion(id);
        this.#returned.add(id);
        return state;
      } catch (error) {
        const isAway = error instanceof TaskHubError && error.code === 'UNAVAILABLE';
        if (!isAway || this.#isClosed || systemClock.now() > lateAt) throw error;
      }
    }
  }
}
