import assert from 'node:assert/strict';
import {
  OrchestrationStatus as SdkStatus,
  RetryPolicy,
  whenAll as sdkWhenAll,
  whenAny as sdkWhenAny,
  type OrchestrationState,
  type Task as SdkTask,
} from '@microsoft/durabletask-js';
import fc from 'fast-check';
import { OrchestrationStatus } from '../../src/proto/orchestrator_service_pb.ts';
import { publishedSdk } from '../compat/support/published-sdk.ts';
import {
  atomsOf,
  failingTrees,
  isResultOf,
  runTree,
  waitsForEvent,
  type Call,
  type Tree,
} from '../support/failing-tree.ts';
import { TreeWorld, type Style } from '../support/tree-worker.ts';

/** More often than this nothing may have to be rewound: each time at least one kept failure is spared. */
const REWINDS_MAX = 10;
const PATIENT_FROM = 2;

/** What becomes of the children between the failure and the rewind. */
type Meddling = 'none' | 'purge' | 'end';

/** Runs a tree until it fails, mends its fault and rewinds it until it completes. */
async function heal(style: Style, tree: Tree, meddling: Meddling): Promise<void> {
  const world = await TreeWorld.open(style);
  try {
    await world.start('root', tree);
    let state = await world.ended('root');
    world.isFaulty = false;
    if (meddling !== 'none') await world.meddle(meddling, 'root');
    for (let rewinds = 0; state.orchestrationStatus === OrchestrationStatus.FAILED; rewinds += 1) {
      assert.ok(rewinds < REWINDS_MAX, `fails again: ${state.failureDetails?.errorMessage}`);
      // Orphans of an attempt that failed may hold the ids of the next one's children: no rewind can help that.
      if (rewinds >= PATIENT_FROM) await world.allEnded();
      await world.rewind('root');
      state = await world.ended('root');
    }
    assert.equal(state.orchestrationStatus, OrchestrationStatus.COMPLETED);
    assert.ok(isResultOf(tree, JSON.parse(state.output ?? 'null')), state.output);
  } finally {
    await world.close();
  }
}

const meddlings = fc.constantFrom<Meddling>('none', 'none', 'purge', 'end');

describe('rewind of generated failing trees', function () {
  this.timeout(120_000);

  for (const style of ['classic', 'core'] as const) {
    it(`always completes once the fault is gone (${style} style)`, async () => {
      await fc.assert(
        fc.asyncProperty(failingTrees, meddlings, async (tree, meddling) => {
          await heal(style, tree, meddling);
        }),
        { numRuns: 200 },
      );
    });
  }
});

describe('rewind of failing trees with the published SDK', function () {
  this.timeout(60_000);
  const sdk = publishedSdk();
  let isFaulty = true;

  sdk.activity('Work', (_, { key, breaks }: Call) => {
    if (breaks && isFaulty) throw new Error(`${key} is broken`);
    return key;
  });
  sdk.activity('Undo', () => 'undone');
  sdk.orchestrator('Tree', async function* (context, tree: Tree) {
    const retryOf = (maxNumberOfAttempts: number): RetryPolicy =>
      new RetryPolicy({ maxNumberOfAttempts, firstRetryIntervalInMilliseconds: 1000 });
    return yield* runTree<SdkTask<unknown>>(tree, {
      activity: (call) => context.callActivity('Work', call, { retry: retryOf(call.attempts) }),
      undo: () => context.callActivity('Undo'),
      child: ({ steps, attempts }) =>
        context.callSubOrchestrator('Tree', steps, { retry: retryOf(attempts) }),
      timer: (seconds) => context.createTimer(seconds),
      event: (name) => context.waitForExternalEvent(name),
      all: (tasks) => sdkWhenAll(tasks),
      any: (tasks) => sdkWhenAny(tasks),
    });
  });

  /** Lets its timers run out, and gives it every event. */
  async function ended(id: string): Promise<OrchestrationState> {
    const isOver = { value: false };
    const end = sdk.ended(id).finally(() => {
      isOver.value = true;
    });
    while (!isOver.value) {
      sdk.host.clock.advance(1000);
      for (const name of ['go', 'stop']) await sdk.client.raiseOrchestrationEvent(id, name, 1);
      await sdk.state(id);
    }
    return end;
  }

  // Events reach the root only: no child waits for one.
  const isFlat = (tree: Tree): boolean =>
    tree.every((step) => step.kind === 'event' || !atomsOf(step).some(waitsForEvent));

  for (const [index, tree] of fc
    .sample(failingTrees.filter(isFlat), { numRuns: 8, seed: 7 })
    .entries()) {
    it(`completes tree ${index + 1}`, async () => {
      isFaulty = true;
      const id = await sdk.start('Tree', tree);
      let state = await ended(id);
      isFaulty = false;
      for (let rewinds = 0; state.runtimeStatus === SdkStatus.FAILED; rewinds += 1) {
        assert.ok(rewinds < REWINDS_MAX, state.failureDetails?.message);
        await sdk.client.rewindInstance(id, 'mended');
        state = await ended(id);
      }
      assert.ok(isResultOf(tree, JSON.parse(state.serializedOutput ?? 'null')));
    });
  }
});
