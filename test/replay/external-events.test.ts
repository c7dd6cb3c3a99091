import assert from 'node:assert/strict';
import { eventRaised, event, executionStarted, taskCompleted } from './support/events.ts';
import { classic, core, lines, live } from './support/orchestrators.ts';

describe('external events', () => {
  it('are kept until someone waits, oldest first, whatever the case of their names', () => {
    const session = classic(function* ({ df }) {
      yield df.callActivity('A');
      const first = (yield df.waitForExternalEvent('Go')) as unknown;
      const second = (yield df.waitForExternalEvent('go')) as unknown;
      return [first, second];
    });
    live(session, executionStarted(), eventRaised('go', 1), eventRaised('GO', 2));

    assert.deepEqual(lines(live(session, taskCompleted(1)).actions), ['2 completed [1,2]']);
  });

  it('serve the newest waiter first in the classic style', () => {
    const session = classic(function* ({ df }) {
      const [one, two] = [df.waitForExternalEvent('go'), df.waitForExternalEvent('go')];
      const winner = (yield df.Task.any([one, two])) as unknown;
      return winner === two;
    });
    live(session, executionStarted());

    assert.deepEqual(lines(live(session, eventRaised('go')).actions), ['1 completed true']);
  });

  it('count a waiter that is yielded again as the newest', () => {
    const session = classic(function* ({ df }) {
      const [one, two] = [df.waitForExternalEvent('go'), df.waitForExternalEvent('go')];
      yield df.Task.any([one, two, df.waitForExternalEvent('other')]);
      yield df.Task.any([one, df.waitForExternalEvent('third')]);
      return [one.isCompleted, two.isCompleted];
    });
    live(session, executionStarted());
    live(session, eventRaised('other'));

    assert.deepEqual(lines(live(session, eventRaised('go')).actions), ['1 completed [true,false]']);
  });

  it('serve the oldest waiter first in the core style', () => {
    const session = core(function* (context) {
      const [one, two] = [context.waitForExternalEvent('go'), context.waitForExternalEvent('go')];
      yield one;
      return [one.isComplete, two.isComplete];
    });
    live(session, executionStarted());

    assert.deepEqual(lines(live(session, eventRaised('go')).actions), ['1 completed [true,false]']);
  });

  it('give undefined when they carry nothing', () => {
    const session = classic(function* ({ df }) {
      const data = (yield df.waitForExternalEvent('go')) as unknown;
      return [data === undefined];
    });

    assert.deepEqual(lines(live(session, executionStarted(), eventRaised('go')).actions), [
      '1 completed [true]',
    ]);
  });

  it('fail their waiter when they carry no JSON', () => {
    const session = classic(function* ({ df }) {
      yield df.waitForExternalEvent('go');
    });
    const raised = event({ case: 'eventRaised', value: { name: 'go', input: 'text' } });

    assert.deepEqual(lines(live(session, executionStarted(), raised).actions), [
      "1 failed SyntaxError: The data of event 'go' is not valid JSON.",
    ]);
  });
});
