/**
 * The laws of decisions (docs/ARCHITECTURE.md) where they meet the store. Fold: what is shown of an instance is what its
 * history says. Idempotence: the same answer twice is one answer. Terminal: nothing but purge, rewind, restart or a
 * start that replaces it changes an ended instance. Replay and Conservation have their tests in replay/ and core/.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  OrchestrationStatus,
  type HistoryEvent,
} from '../../../src/proto/orchestrator_service_pb.ts';
import type { ClaimedActivity, ClaimedOrchestration, Commit } from '../../../src/storage/store.ts';
import { complete, createTimer, fail, scheduleTask } from '../../support/actions.ts';
import { activityDone, deliver, raise, refusal, terminate, turn, turnClaimed } from './bench.ts';
import type { Bench, UseBench } from './bench.ts';

type Step =
  | { readonly kind: 'raise' | 'suspend' | 'resume' | 'terminate' | 'work' }
  | { readonly kind: 'turn'; readonly tasks: number; readonly end: 'none' | 'ok' | 'failed' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom<'raise' | 'suspend' | 'resume' | 'terminate' | 'work'>(
      ...(['raise', 'raise', 'suspend', 'suspend', 'resume', 'terminate', 'work'] as const),
    ),
  }),
  fc.record({
    kind: fc.constant('turn' as const),
    tasks: fc.nat(2),
    end: fc.constantFrom<'none' | 'ok' | 'failed'>(
      ...(['none', 'none', 'none', 'none', 'none', 'none', 'ok', 'failed'] as const),
    ),
  }),
);

/** Acts as the one worker and the one client of instance `id`. */
class Actor {
  readonly #bench: Bench;
  readonly #id: string;
  #nextTask = 1;

  constructor(bench: Bench, id: string) {
    this.#bench = bench;
    this.#id = id;
  }

  /** The commits of this step, if it can be taken now. */
  async commitsOf(next: Step): Promise<readonly Commit[]> {
    const { kind } = next;
    if (kind === 'raise') return [raise(this.#id, 'event', '1')];
    if (kind === 'terminate') return [terminate(this.#id, '"stop"')];
    if (kind === 'suspend') return [deliver(this.#id, { case: 'executionSuspended', value: {} })];
    if (kind === 'resume') return [deliver(this.#id, { case: 'executionResumed', value: {} })];
    const claimed = await this.#bench.take(
      kind === 'work' ? { orchestrations: 0 } : { activities: 0 },
    );
    return claimed.map((item) =>
      item.kind === 'activity'
        ? activityDone(item, '"done"')
        : this.#answer(turnClaimed(item), next),
    );
  }

  #answer(item: ClaimedOrchestration, next: Step): Commit {
    const isTerminated = item.newEvents.some(({ type }) => type === 5);
    if (isTerminated || next.kind !== 'turn') return turn(item, [complete('"stopped"')]);
    const tasks = Array.from({ length: next.tasks }, () => this.#task());
    const end = { none: [], ok: [complete('"ok"')], failed: [fail('Broken', 'broken')] }[next.end];
    return turn(item, [...tasks, ...end], { customStatus: `"${this.#nextTask}"` });
  }

  #task(): ReturnType<typeof scheduleTask> {
    this.#nextTask += 1;
    return scheduleTask(this.#nextTask);
  }
}

/** What a history by itself says of its instance. */
export function fold(history: readonly HistoryEvent[]): {
  status: number;
  output: string | undefined;
} {
  let status: number = OrchestrationStatus.PENDING;
  let output: string | undefined;
  for (const { eventType } of history) {
    if (eventType.case === 'executionStarted' || eventType.case === 'executionResumed') {
      status = OrchestrationStatus.RUNNING;
    } else if (eventType.case === 'executionSuspended') {
      status = OrchestrationStatus.SUSPENDED;
    } else if (eventType.case === 'executionCompleted') {
      status = eventType.value.orchestrationStatus;
      output = eventType.value.result;
    }
  }
  return { status, output };
}

export function lawsContract(use: UseBench): void {
  let run = 0;
  const fresh = async (bench: Bench): Promise<{ id: string; actor: Actor }> => {
    run += 1;
    const id = `law-${run}`;
    await bench.apply(bench.start(id));
    return { id, actor: new Actor(bench, id) };
  };

  describe('the laws of decisions', () => {
    it('fold: an instance is what its history says, after every step', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 20 }), async (steps) => {
          const bench = use();
          const { id, actor } = await fresh(bench);
          for (const next of steps) {
            for (const commit of await actor.commitsOf(next)) await bench.commit(commit);
            const { status, output } = await bench.get(id);
            assert.deepEqual({ status, output }, fold(await bench.history(id)));
          }
          await drop(bench, id);
        }),
        { numRuns: 60 },
      );
    });

    it('idempotence: an answer given twice changes nothing the second time', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
          const bench = use();
          const { id, actor } = await fresh(bench);
          for (const next of steps) {
            for (const commit of await actor.commitsOf(next)) {
              await bench.commit(commit);
              if (commit.kind !== 'turn' && commit.kind !== 'activity') continue;
              const before = await snapshot(bench, id);
              assert.equal(refusal(await bench.commit(commit)), 'LEASE_LOST');
              assert.deepEqual(await snapshot(bench, id), before);
            }
          }
          await drop(bench, id);
        }),
        { numRuns: 25 },
      );
    });

    it('terminal: an ended instance stays as it ended, whatever arrives late', async () => {
      const late = fc.array(fc.constantFrom(...LATE), { minLength: 1, maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(late, fc.boolean(), async (arrivals, isFailed) => {
          const bench = use();
          const { id } = await fresh(bench);
          const first = await bench.takeTurn();
          await bench.apply(turn(first, [scheduleTask(1), createTimer(2, bench.now + 50)]));
          const activity = await bench.takeActivity();
          await bench.apply(raise(id, 'end'));
          const last = await bench.takeTurn();
          const ending = isFailed ? fail('Broken', 'broken') : complete('"ok"');
          await bench.apply(turn(last, [ending]));
          const before = await snapshot(bench, id);
          bench.advance(100);
          for (const arrival of arrivals) {
            await bench.exchange([arrival({ id, activity, last })], bench.takers());
            assert.deepEqual(await snapshot(bench, id), before);
          }
          await drop(bench, id);
        }),
        { numRuns: 25 },
      );
    });
  });
}

interface Late {
  readonly id: string;
  readonly activity: ClaimedActivity;
  readonly last: ClaimedOrchestration;
}

const LATE: readonly ((late: Late) => Commit)[] = [
  ({ id }) => raise(id, 'late'),
  ({ id }) => terminate(id, '"late"', true),
  ({ id }) => deliver(id, { case: 'executionSuspended', value: {} }),
  ({ id }) => deliver(id, { case: 'executionResumed', value: {} }),
  ({ activity }) => activityDone(activity, '"late"'),
  ({ last }) => turn(last, [complete('"other"')]),
  ({ last }) => ({ kind: 'abandon', hub: last.hub, work: 'orchestration', token: last.token }),
  ({ id, last }) => ({ kind: 'purge', hub: last.hub, instanceId: `${id}-other`, onLive: 'skip' }),
];

async function snapshot(bench: Bench, id: string): Promise<unknown> {
  return { record: await bench.get(id), history: await bench.history(id) };
}

/** Makes room for the next run: nothing of this one is left to be handed out. */
async function drop(bench: Bench, instanceId: string): Promise<void> {
  const end = { kind: 'end', hub: 'default', instanceId, event: LAST_WORD } as const;
  await bench.exchange([end]);
  await bench.exchange([{ kind: 'purge', hub: 'default', instanceId, onLive: 'skip' }]);
  await bench.take();
}

const LAST_WORD = terminate('any').event;
