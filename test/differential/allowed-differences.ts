/** Where our engine and durable-functions 3.5.0 differ on purpose. */
export interface AllowedDifference {
  readonly id: string;
  readonly there: string;
  readonly here: string;
  readonly reason: string;
}

/**
 * The complete list. The generated programs avoid these, or the comparison leaves them out where it says
 * so; differential.test.ts shows each that a program can show. docs/DURABLE-FUNCTIONS.md has them for users.
 */
export const ALLOWED_DIFFERENCES: readonly AllowedDifference[] = [
  {
    id: 'last-retry-wait',
    there: 'a call with retries that has failed for good waits once more before it fails',
    here: 'it fails when its last attempt fails',
    reason:
      'the wait helps nobody; oracle-history.ts gives the package the timer that it waits for',
  },
  {
    id: 'compound-of-completed',
    there: 'Task.all() or Task.any() of tasks that have all completed never completes',
    here: 'it completes at once',
    reason: 'an orchestration that hangs for ever is a bug',
  },
  {
    id: 'task-in-two-compounds',
    there: 'a task that is part of two unfinished compounds reports to the newer one only',
    here: 'it reports to both',
    reason: 'the older one would never complete',
  },
  {
    id: 'event-waited-for-twice',
    there: 'yielding a pending event task again counts as a second waiter, which swallows an event',
    here: 'one task takes one event',
    reason: 'events that users raise must not be lost',
  },
  {
    id: 'yield-after-continue-as-new',
    there: 'after continueAsNew the code runs on over yields of completed tasks',
    here: 'it stops at the next yield, whatever it yields',
    reason: 'what runs after that point must not depend on what happens to be complete',
  },
  {
    id: 'long-timers',
    there: 'a timer of more than six days is made of several',
    here: 'it is one timer',
    reason: 'the split serves a limit of Azure Storage queues that schedulers do not have',
  },
  {
    id: 'timer-canceled-at-once',
    there: 'a timer that is cancelled in the turn that made it is asked for, marked as cancelled',
    here: 'it is not asked for',
    reason: 'the protocol has no such mark, and nobody waits for it',
  },
  {
    id: 'generated-child-ids',
    there: 'the host makes up the ids of sub-orchestrations',
    here: 'the engine does, from execution id and action id',
    reason: 'the protocol wants them from the worker',
  },
  {
    id: 'missing-result',
    there: 'a result that a worker left out is null',
    here: 'it is undefined',
    reason: 'an activity that returns nothing gives nothing',
  },
  {
    id: 'event-name-case',
    there: 'event names are compared with case',
    here: 'without',
    reason: 'the engines behind the package compare them without case, too',
  },
  {
    id: 'non-retriable',
    there: 'every failure is retried',
    here: 'one that its worker marked as not worth it is not',
    reason: 'the mark exists in the protocol to be honoured',
  },
  {
    id: 'entity-failures',
    there: 'a failed operation gives a plain Error, whose text is mostly [object Object]',
    here: 'an EntityOperationFailedException that names the operation, the entity and what went wrong',
    reason: 'nobody can act on the other text',
  },
  {
    id: 'implicit-release',
    there: 'locks that are held at the end are released by the host',
    here: 'by the engine, with the end',
    reason: 'the protocol wants it from the worker',
  },
];
