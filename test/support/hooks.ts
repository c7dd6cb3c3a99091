/** Loaded before every test file: what must hold after each test, whatever it tested. */
import assert from 'node:assert/strict';

type Leak = () => string | undefined;
const leaks: Leak[] = [];

/** Registers a check that runs after each test; a sentence it returns fails that test. */
export function onLeakCheck(check: Leak): void {
  leaks.push(check);
}

export const mochaHooks = {
  afterEach(): void {
    const found = leaks.map((check) => check()).filter((leak) => leak !== undefined);
    assert.deepEqual(found, [], 'something was left open');
  },
};
