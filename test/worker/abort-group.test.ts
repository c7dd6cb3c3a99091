import assert from 'node:assert/strict';
import { AbortGroup } from '../../src/worker/abort-group.ts';

describe('AbortGroup', () => {
  it('makes a signal only for those who ask, and the same one each time', () => {
    const group = new AbortGroup(new AbortController().signal);
    const member = group.join();
    group.join();
    assert.equal(group.size, 0);

    assert.equal(member.signal, member.signal);
    assert.equal(group.size, 1);
  });

  it('aborts every signal with the reason of the one they follow', () => {
    const parent = new AbortController();
    const group = new AbortGroup(parent.signal);
    const { signal } = group.join();
    const reason = new Error('enough');

    parent.abort(reason);

    assert.equal(signal.reason, reason);
    assert.equal(group.join().signal.reason, reason);
  });

  it('lets go of a released signal', () => {
    const parent = new AbortController();
    const group = new AbortGroup(parent.signal);
    const member = group.join();
    const { signal } = member;

    member.release();
    parent.abort();

    assert.equal(group.size, 0);
    assert.equal(signal.aborted, false);
  });
});
