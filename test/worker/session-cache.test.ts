import assert from 'node:assert/strict';
import { coreStyle } from '../../src/worker/core-style.ts';
import type { CachedSession } from '../../src/worker/session-cache.ts';
import { SessionCache } from '../../src/worker/session-cache.ts';
import { OrchestratorSession } from '../../src/replay/session.ts';

function cached(): CachedSession {
  const session = new OrchestratorSession(
    {
      ...coreStyle(undefined),
      name: 'A',
      handler: () => undefined,
      sha1: () => new Uint8Array(20),
      delay: () => Promise.resolve(),
      limits: { actionsMax: 10, nonDurableWaitMs: 10 },
    },
    { instanceId: 'i', executionId: 'e' },
  );
  return {
    session,
    trace: undefined,
    executionId: 'e',
    pastEventCount: 0,
    lastTurn: '',
    isAccepted: Promise.resolve(true),
  };
}

function isClosed({ session }: CachedSession): boolean {
  try {
    void session.turn({ pastEvents: [], newEvents: [] });
    return false;
  } catch (error) {
    return error instanceof Error && error.message.includes('was closed');
  }
}

describe('SessionCache', () => {
  it('gives a session to one turn at a time', () => {
    const cache = new SessionCache({ countMax: 2, idleMs: 100 });
    const one = cached();
    cache.put('1', one, 0);

    assert.equal(cache.take('1'), one);
    assert.equal(cache.take('1'), undefined);
  });

  it('closes the least recently used beyond its count', () => {
    const cache = new SessionCache({ countMax: 2, idleMs: 100 });
    const all = [cached(), cached(), cached()];
    cache.put('0', all[0]!, 0);
    cache.put('1', all[1]!, 1);
    cache.put('0', cache.take('0')!, 2);
    cache.put('2', all[2]!, 3);

    assert.deepEqual(all.map(isClosed), [false, true, false]);
    assert.equal(cache.size, 2);
  });

  it('closes what was idle for longer than its limit', () => {
    const cache = new SessionCache({ countMax: 2, idleMs: 100 });
    const [old, young] = [cached(), cached()];
    cache.put('old', old, 0);
    cache.put('young', young, 50);

    cache.closeIdle(120);

    assert.deepEqual([isClosed(old), isClosed(young)], [true, false]);
  });

  it('keeps nothing when its count is zero', () => {
    const cache = new SessionCache({ countMax: 0, idleMs: 100 });
    const one = cached();
    cache.put('1', one, 0);

    assert.equal(cache.size, 0);
    assert.equal(isClosed(one), true);
  });

  it('drops a session only while it is the one it holds', () => {
    const cache = new SessionCache({ countMax: 2, idleMs: 100 });
    const [first, second] = [cached(), cached()];
    cache.put('1', first, 0);
    cache.put('1', second, 1);

    cache.drop('1', first.session);

    assert.equal(cache.take('1'), second);
    assert.equal(isClosed(first), true);
  });

  it('closes everything on demand', () => {
    const cache = new SessionCache({ countMax: 2, idleMs: 100 });
    const all = [cached(), cached()];
    cache.put('0', all[0]!, 0);
    cache.put('1', all[1]!, 0);

    cache.closeAll();

    assert.deepEqual(all.map(isClosed), [true, true]);
    assert.equal(cache.size, 0);
  });
});
