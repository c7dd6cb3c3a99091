import assert from 'node:assert/strict';
import { stepLabel } from '../../src/dashboard/model/steps.ts';
import { stateOf, type Story } from '../../src/dashboard/model/story.ts';
import { Told } from './told.ts';

const steps = ({ steps: all }: Story): unknown[] =>
  all.map((step) => [step.kind, step.name, stateOf(step), step.tries.length]);

describe('the story of a history', () => {
  it('has a step for each task, in the order in which they were scheduled', () => {
    const { story } = new Told().activity(1, 'A').activity(2, 'B').turn().done(2).turn().done(1);
    assert.deepEqual(steps(story), [
      ['activity', 'A', 'Completed', 1],
      ['activity', 'B', 'Completed', 1],
    ]);
    const [a, b] = story.steps;
    assert.ok((a?.tries[0]?.endAt ?? 0) > (b?.tries[0]?.endAt ?? 0));
    assert.deepEqual([a?.tries[0]?.turn, a?.tries[0]?.endTurn], [0, 2]);
  });

  it('begins and ends where the execution did', () => {
    const { story } = new Told().activity(1, 'A').turn().done(1).ended('Failed');
    assert.deepEqual([story.name, story.status], ['Order', 'Failed']);
    assert.deepEqual([story.startAt, story.endAt], [2000, 6000]);
    assert.equal(story.turns.length, 2);
  });

  it('calls a timer cancelled that had not fired, and everything else unused', () => {
    const { story } = new Told().activity(1, 'A').timer(2).ended();
    assert.deepEqual(steps(story), [
      ['activity', 'A', 'unused', 1],
      ['timer', '', 'cancelled', 1],
    ]);
  });

  it('puts the tries of an activity together when a timer lies between them, and says that it infers', () => {
    const { story } = new Told()
      .activity(1, 'A')
      .turn()
      .failed(1)
      .timer(2)
      .turn()
      .fired(2)
      .activity(3, 'A')
      .turn()
      .done(3);
    assert.deepEqual(steps(story), [['activity', 'A', 'Completed', 2]]);
    const [step = assert.fail()] = story.steps;
    assert.equal(step.isInferred, true);
    assert.equal(step.pauses.length, 1);
    assert.equal(stepLabel(step), 'A · 2 tries');
  });

  it('does not take another input, or another name, for a retry', () => {
    for (const [name, bytes] of [
      ['A', 3],
      ['B', 2],
    ] as const) {
      const { story } = new Told()
        .activity(1, 'A')
        .turn()
        .failed(1)
        .timer(2)
        .turn()
        .fired(2)
        .activity(3, name, bytes);
      assert.deepEqual(steps(story), [
        ['activity', 'A', 'Failed', 1],
        ['timer', '', 'Completed', 1],
        ['activity', name, 'Running', 1],
      ]);
    }
  });

  it('knows the tries of a child by its instance id', () => {
    const created = { name: 'Child', target: 'child-1' };
    const { story } = new Told()
      .add('subOrchestrationInstanceCreated', { eventId: 1, ...created })
      .turn()
      .add('subOrchestrationInstanceFailed', { eventId: -1, scheduledId: 1 })
      .add('subOrchestrationInstanceCreated', { eventId: 2, ...created })
      .turn()
      .add('subOrchestrationInstanceCompleted', { eventId: -1, scheduledId: 2 });
    assert.deepEqual(steps(story), [['child', 'Child', 'Completed', 2]]);
    assert.equal(story.steps[0]?.isInferred, false);
  });

  it('follows entity calls and locks by their request', () => {
    const { story } = new Told()
      .add('entityLockRequested', { requestId: 'l', target: '@a@1' })
      .add('entityOperationCalled', { requestId: 'c', name: 'add', target: '@a@1' })
      .add('entityOperationSignaled', { requestId: 's', name: 'log', target: '@b@1' })
      .turn()
      .add('entityLockGranted', { requestId: 'l' })
      .add('entityOperationFailed', { requestId: 'c' });
    assert.deepEqual(steps(story), [
      ['lock', '', 'Completed', 1],
      ['call', 'add', 'Failed', 1],
      ['signal', 'log', 'Completed', 1],
    ]);
  });

  it('knows when it was suspended, and is open again after a rewind', () => {
    const { story } = new Told()
      .add('executionSuspended')
      .add('executionResumed')
      .ended('Failed')
      .add('executionRewound');
    assert.deepEqual(story.suspensions, [{ from: 3000, to: 4000 }]);
    assert.equal(story.endAt, undefined);
    assert.deepEqual(
      story.marks.map(({ kind }) => kind),
      ['rewind'],
    );
  });

  it('takes an end that nothing began, and events that it does not know, as they come', () => {
    const { story } = new Told().done(9).fired(8).add('somethingNew');
    assert.deepEqual(story.steps, []);
  });
});
