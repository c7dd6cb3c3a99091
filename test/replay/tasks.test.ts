import assert from 'node:assert/strict';
import { AtomicTask, CompoundTask } from '../../src/replay/tasks.ts';

/** A parent that completes with its first child and counts what it is told. */
class CountingParent extends CompoundTask {
  toldCount = 0;

  override onChildCompleted(): void {
    this.toldCount += 1;
    this.succeed(undefined);
  }

  override evaluate(): void {
    this.succeed(undefined);
  }
}

const activity = (): AtomicTask =>
  new AtomicTask('core', { kind: 'activity', name: 'A', input: undefined });

describe('Task', () => {
  it('settles once', () => {
    const task = activity();
    const parent = new CountingParent('core', [task]);

    task.succeed('first');
    task.succeed('second');
    task.fail(new Error('third'));

    assert.deepEqual([task.getResult(), task.isFailed, parent.toldCount], ['first', false, 1]);
  });

  it('lets go of parents that have completed, so that loops over races pile up nothing', () => {
    const slow = activity();
    const finished = Array.from({ length: 3 }, () => {
      const parent = new CountingParent('core', [slow]);
      parent.evaluate();
      return parent;
    });
    const last = new CountingParent('core', [slow]);

    slow.succeed(1);

    assert.deepEqual(
      [...finished, last].map(({ toldCount }) => toldCount),
      [0, 0, 0, 1],
    );
  });
});
