/** Loaded before every test file: what must hold after each test, whatever it tested. */
import assert from 'node:assert/strict';

type Leak = () => string | undefined;
const leaks: Leak[] = [];

/** Registers a check that runs after each test; a sentence it returns fails that test. */
export function onLeakCheck(check: Leak): void {
  leaks.push(check);
}

/** How long a process may take to end by itself once its tests have. */
const END_MAX_MS = 10_000;

/** Names what keeps this process running, then ends it with the result of its tests. */
function endLate(): void {
  const left = process.getActiveResourcesInfo().join(', ');
  process.stderr.write(`The tests are over, yet the process goes on; left open: ${left}\n`);
  process.exit();
}

export const mochaHooks = {
  afterAll(): void {
    setTimeout(endLate, END_MAX_MS).unref();
    // Node 24 now and then spins for ever in its own clean-up of a process that simply runs out of work (seen with a
    // socket that the peer's HTTP/2 session had half closed); an explicit end skips that.
    process.once('beforeExit', () => process.exit());
  },
  afterEach(): void {
    const found = leaks.map((check) => check()).filter((leak) => leak !== undefined);
    assert.deepEqual(found, [], 'something was left open');
  },
};
