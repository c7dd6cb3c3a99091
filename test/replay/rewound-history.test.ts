import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { HistoryEvent } from '../../src/proto/orchestrator_service_pb.ts';
import type { Task } from '../../src/replay/tasks.ts';
import { whenAll } from '../../src/replay/core-context.ts';
import {
  childCompleted,
  committed,
  executionStarted,
  taskCompleted,
  turnStarted,
} from './support/events.ts';
import type { CoreHandler } from './support/orchestrators.ts';
import { core, lines, now } from './support/orchestrators.ts';

/** Adds up `widths` steps; each calls that many activities at once. */
function steps(widths: readonly number[]): CoreHandler {
  return function* (context): Generator<Task, number, number[]> {
    let sum = 0;
    for (const width of widths) {
      const tasks = Array.from({ length: width }, () => context.callActivity('One'));
      for (const one of yield whenAll(tasks)) sum += one;
    }
    return sum;
  };
}

const idsOf = (first: number, count: number): number[] =>
  Array.from({ length: count }, (_, index) => first + index);

describe('a rewound history', () => {
  it('asks again for the activity that was taken out, under its old id', () => {
    const handler = steps([1, 1]);
    const first = now(
      core(handler).turn({ pastEvents: [], newEvents: [turnStarted(), executionStarted()] }),
    );
    const pastEvents = [
      turnStarted(),
      executionStarted(),
      ...committed(first.actions),
      turnStarted(),
      taskCompleted(1, 1),
    ];

    const again = now(core(handler).turn({ pastEvents, newEvents: [turnStarted()] }));

    assert.deepEqual(lines(again.actions), ['2 activity One()']);
  });

  it('waits for a child that is rewound itself and asks for nothing', () => {
    const handler: CoreHandler = function* (context) {
      return (yield context.callSubOrchestrator('Child', 1, { instanceId: 'c' })) as unknown;
    };
    const first = now(
      core(handler).turn({ pastEvents: [], newEvents: [turnStarted(), executionStarted()] }),
    );
    const pastEvents = [turnStarted(), executionStarted(), ...committed(first.actions)];
    const session = core(handler);

    const woken = now(session.turn({ pastEvents, newEvents: [turnStarted()] }));
    const ended = now(
      session.turn({ pastEvents: [], newEvents: [turnStarted(), childCompleted(1, 'ok')] }),
    );

    assert.deepEqual(lines(woken.actions), []);
    assert.deepEqual(lines(ended.actions), ['2 completed "ok"']);
  });

  it('asks again for exactly what was taken out and then ends as if nothing had failed', () => {
    const width = fc.integer({ min: 1, max: 6 });
    const scenario = fc.record({
      widths: fc.array(width, { minLength: 1, maxLength: 4 }),
      lost: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      order: fc.infiniteStream(fc.nat(5)),
    });
    fc.assert(
      fc.property(scenario, ({ widths, lost, order }) => {
        const handler = steps(widths);
        const total = widths.reduce((sum, one) => sum + one, 0);
        const lastWidth = widths.at(-1) ?? 0;
        const firstOfLast = total - lastWidth + 1;
        const lostIds = idsOf(firstOfLast, lastWidth).filter((_, index) => lost[index]);
        const history = run(handler, { widths, lostIds });

        const session = core(handler);
        const again = now(session.turn({ pastEvents: history, newEvents: [turnStarted()] }));

        assert.deepEqual(
          lines(again.actions),
          lostIds.length === 0
            ? [`${total + 1} completed ${total}`]
            : lostIds.map((id) => `${id} activity One()`),
        );
        if (lostIds.length === 0) return;
        // The ids come back at a later place: the next replay meets them there.
        const rewound = [...history, turnStarted(), ...committed(again.actions)];
        const answers = shuffled(lostIds, order).map((id) => taskCompleted(id, 1));
        const newEvents = [turnStarted(), ...answers];
        for (const turn of [
          now(session.turn({ pastEvents: [], newEvents })),
          now(core(handler).turn({ pastEvents: rewound, newEvents })),
        ]) {
          assert.deepEqual(lines(turn.actions), [`${total + 1} completed ${total}`]);
        }
      }),
    );
  });
});

interface Run {
  readonly widths: readonly number[];
  /** Taken out of the history: that they were asked for, and how they ended. */
  readonly lostIds: readonly number[];
}

/** The history of a program up to the end of its last step, less what a rewind takes out. */
function run(handler: CoreHandler, { widths, lostIds }: Run): HistoryEvent[] {
  const session = core(handler);
  const history: HistoryEvent[] = [];
  let newEvents = [turnStarted(), executionStarted()];
  let firstId = 1;
  for (const width of widths) {
    const { actions } = now(session.turn({ pastEvents: [], newEvents }));
    const kept = committed(actions).filter(({ eventId }) => !lostIds.includes(eventId));
    history.push(...newEvents, ...kept);
    newEvents = [turnStarted(), ...idsOf(firstId, width).map((id) => taskCompleted(id, 1))];
    firstId += width;
  }
  const answered = newEvents.filter(
    ({ eventType: type }) =>
      type.case !== 'taskCompleted' || !lostIds.includes(type.value.taskScheduledId),
  );
  history.push(...answered);
  return history;
}

function shuffled(ids: readonly number[], order: Iterator<number>): number[] {
  const left = [...ids];
  const result: number[] = [];
  while (left.length > 0) {
    const at = Number(order.next().value) % left.length;
    result.push(...left.splice(at, 1));
  }
  return result;
}
