import type { ClassicEntityId, LockingValues } from '../replay/classic-entities.ts';
import { DurableLock, LockingRulesViolationError, LockState } from './value-classes.ts';

/** Critical sections in the classes of durable-functions. */
export const LOCKING: LockingValues = {
  createLock: (ownedLocks, release) => {
    // Its declaration leaves out what its code takes.
    const Declared = DurableLock as new (
      ownedLocks: readonly ClassicEntityId[],
      onRelease: () => void,
    ) => DurableLock;
    return new Declared(ownedLocks, release);
  },
  createLockState: (isLocked, ownedLocks) => new LockState(isLocked, [...ownedLocks]),
  createViolation: (message) => new LockingRulesViolationError(message),
};
