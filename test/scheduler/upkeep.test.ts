import assert from 'node:assert/strict';
import { DEFAULT_SCHEDULER_SETTINGS } from '../../src/scheduler/settings.ts';
import { runUpkeep } from '../../src/scheduler/upkeep.ts';
import type { ReleaseOrphansOptions, Store } from '../../src/storage/store.ts';
import { eventually, settle } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';

const { upkeepMs, graceMs } = DEFAULT_SCHEDULER_SETTINGS;

/** What is left to do, and what was done. */
class UpkeepStore {
  readonly done: string[] = [];
  readonly releases: ReleaseOrphansOptions[] = [];
  hubs: readonly string[] = ['default'];
  orphanSteps = 0;
  sweepSteps = 0;
  forgetSteps = 0;
  forgottenBefore = 0;
  failure: Error | undefined;

  taskHubs(): Promise<readonly string[]> {
    return Promise.resolve(this.hubs);
  }

  releaseOrphans(options: ReleaseOrphansOptions): Promise<boolean> {
    this.done.push('orphans');
    this.releases.push(options);
    if (this.failure) return Promise.reject(this.failure);
    this.orphanSteps -= 1;
    return Promise.resolve(this.orphanSteps > 0);
  }

  forgetRequests({ before }: { readonly before: number }): Promise<boolean> {
    this.forgottenBefore = before;
    this.forgetSteps -= 1;
    return Promise.resolve(this.forgetSteps > 0);
  }

  sweep(): Promise<boolean> {
    this.done.push('sweep');
    this.sweepSteps -= 1;
    return Promise.resolve(this.sweepSteps > 0);
  }
}

describe('upkeep', () => {
  const clock = new ManualClock();
  let store: UpkeepStore;
  let freed: number;
  let hubs: readonly string[];
  let errors: unknown[];
  let stop: () => Promise<void>;

  function run(): void {
    const closing = new AbortController();
    const running = runUpkeep({
      store: store as unknown as Store,
      clock,
      settings: DEFAULT_SCHEDULER_SETTINGS,
      signal: closing.signal,
      onError: (error) => errors.push(error),
      onFreed: () => {
        freed += 1;
      },
      onHubs: (known) => {
        hubs = known;
      },
    });
    stop = async () => {
      closing.abort(new Error('closing'));
      await running;
    };
  }

  beforeEach(() => {
    store = new UpkeepStore();
    freed = 0;
    hubs = [];
    errors = [];
    stop = () => Promise.resolve();
  });
  afterEach(() => stop());

  it('forgets what entities were asked half an hour ago, and goes on while there is more', async () => {
    store.forgetSteps = 3;
    run();
    await eventually(() => store.forgetSteps === 0, 'three steps');
    assert.equal(store.forgottenBefore, clock.now() - 30 * 60_000);
  });

  it('frees leases and sweeps, then rests', async () => {
    run();
    await settle();
    assert.deepEqual(store.done, ['orphans', 'sweep']);
    assert.deepEqual(clock.sleepers, [clock.now() + upkeepMs]);
    assert.equal(freed, 1);
    clock.advance(upkeepMs);
    await settle();
    assert.equal(store.done.length, 4);
  });

  it('tells how long tokens stay good', async () => {
    run();
    await settle();
    assert.deepEqual(store.releases[0]?.graceMs, graceMs);
    assert.equal(store.releases[0].now, clock.now());
  });

  it('notices hubs that others make and delete', async () => {
    run();
    await settle();
    assert.deepEqual(hubs, ['default']);
    store.hubs = ['other'];
    clock.advance(upkeepMs);
    await settle();
    assert.deepEqual(hubs, ['other']);
  });

  it('goes on at once while there is more', async () => {
    store.orphanSteps = 3;
    store.sweepSteps = 5;
    run();
    await eventually(() => store.done.length === 10, 'five steps');
    await settle();
    assert.equal(store.done.length, 10);
    assert.equal(freed, 5);
  });

  it('reports what fails and tries again after its rest', async () => {
    store.failure = new Error('the disk is gone');
    run();
    await settle();
    assert.deepEqual(errors, [store.failure]);
    assert.deepEqual(store.done, ['orphans']);
    store.failure = undefined;
    clock.advance(upkeepMs);
    await settle();
    assert.deepEqual(store.done, ['orphans', 'orphans', 'sweep']);
  });

  it('ends with the signal, at rest or after a failure', async () => {
    run();
    await settle();
    await stop();
    store.failure = new Error('the disk is gone');
    run();
    await settle();
    await stop();
    assert.deepEqual(clock.sleepers, []);
    assert.deepEqual(errors, [store.failure]);
  });
});
