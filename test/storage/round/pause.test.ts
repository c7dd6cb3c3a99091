import assert from 'node:assert/strict';
import { admitPause, commitPause, isSuspended } from '../../../src/storage/round/pause.ts';
import type { RunRow } from '../../../src/storage/sql/rows.ts';
import { EVENT_NUMBER } from '../../../src/wire/events.ts';

const event = (type: number) => ({ type, bytes: new Uint8Array() });
const suspend = event(EVENT_NUMBER.executionSuspended);
const resume = event(EVENT_NUMBER.executionResumed);
const raised = event(EVENT_NUMBER.eventRaised);
const newRun = () => ({ suspended: 0 }) as RunRow;

describe('suspends and resumes without effect', () => {
  it('are kept from workers, counted over what was delivered', () => {
    const run = newRun();
    const events = [resume, suspend, suspend, raised, resume, resume, suspend];
    assert.deepEqual(
      events.map((each) => admitPause(run, each)),
      [false, true, false, true, true, false, true],
    );
    assert.equal(isSuspended(run), false, 'no turn is committed yet');
  });

  it('are recognised after the turn that took the last suspend', () => {
    const run = newRun();
    admitPause(run, suspend);
    commitPause(run, { isSuspended: true, hasMore: false });
    assert.equal(isSuspended(run), true);
    assert.equal(admitPause(run, suspend), false);
    assert.equal(admitPause(run, resume), true);
  });

  it('are recognised while delivered ones wait for a later turn', () => {
    const run = newRun();
    admitPause(run, suspend);
    admitPause(run, resume);
    commitPause(run, { isSuspended: true, hasMore: true });
    assert.equal(isSuspended(run), true);
    assert.equal(admitPause(run, resume), false);
    assert.equal(admitPause(run, suspend), true);
  });

  it('are judged anew in a generation that begins unsuspended', () => {
    const run = newRun();
    admitPause(run, suspend);
    commitPause(run, { isSuspended: false, hasMore: false });
    assert.equal(admitPause(run, resume), false);
    assert.equal(admitPause(run, suspend), true);
  });
});
