/** Orchestrations that have everything in them that a timeline can show. */
import {
  type CoreOrchestrationContext,
  type LockHandle,
  type TaskEntityOperation,
  type TaskHubWorker,
  whenAny,
} from '../../src/worker/index.ts';
import { RetryPolicy } from '../../src/replay/core-retry.ts';

const HOUR_S = 3600;

export interface Factory {
  /** Lets activities named `Archive` and `Ship` go on. */
  open(): void;
}

export function registerFactory(worker: TaskHubWorker): Factory {
  const gate = Promise.withResolvers<undefined>();
  let charges = 0;
  let isShipBroken = true;
  addActivities(worker, {
    Validate: () => 'valid',
    Charge: () => {
      charges += 1;
      if (charges % 3 !== 0) throw new TypeError('the bank does not answer');
      return 'charged';
    },
    Resize: (number) => {
      if (number % 83 === 0) throw new RangeError(`cannot resize picture ${number}`);
      return number;
    },
    Check: (number) => number,
    Pay: () => {
      throw new Error('card declined');
    },
    Ship: () => {
      if (isShipBroken) throw new Error('no ship in the harbour');
      return 'shipped';
    },
    Archive: () => gate.promise,
  });
  addOrchestrators(worker);
  worker.addNamedEntity('Stock', () => ({
    run: ({ state }: TaskEntityOperation) => state.setState((state.getState<number>() ?? 0) + 1),
  }));
  return {
    open: () => {
      isShipBroken = false;
      gate.resolve(undefined);
    },
  };
}

function addActivities(
  worker: TaskHubWorker,
  activities: Readonly<Record<string, (input: number) => unknown>>,
): void {
  for (const [name, run] of Object.entries(activities)) {
    worker.addNamedActivity(name, (_, input: number) => run(input));
  }
}

const RETRY = new RetryPolicy({
  maxNumberOfAttempts: 3,
  firstRetryIntervalInMilliseconds: 200,
  backoffCoefficient: 2,
});

function addOrchestrators(worker: TaskHubWorker): void {
  worker.addNamedOrchestrator('Checkout', checkout);
  worker.addNamedOrchestrator('Payment', function* (context: CoreOrchestrationContext): Generator {
    yield context.callActivity('Validate');
    yield context.callActivity('Pay');
  });
  worker.addNamedOrchestrator('Delivery', function* (context: CoreOrchestrationContext): Generator {
    yield context.callActivity('Validate');
    return yield context.callActivity('Ship');
  });
  worker.addNamedOrchestrator('Monitor', function* (context: CoreOrchestrationContext): Generator {
    for (let round = 0; round < 24; round += 1) {
      yield context.callActivity('Check', round);
      yield context.createTimer(0.01);
    }
  });
  worker.addNamedOrchestrator(
    'Poller',
    function* (context: CoreOrchestrationContext, round: number): Generator {
      yield context.callActivity('Check', round);
      if (round < 3) context.continueAsNew(round + 1);
      else yield context.waitForExternalEvent('Stop');
    },
  );
}

/** Retries, a race that leaves a timer armed, a lock, a child that fails, hours of nothing, a thousand at once. */
function* checkout(context: CoreOrchestrationContext, count: number): Generator {
  yield context.callActivity('Validate');
  yield context.callActivity('Charge', 0, { retry: RETRY });
  const approval = context.waitForExternalEvent('Approval');
  yield whenAny([context.createTimer(24 * HOUR_S), approval]);
  const lock = (yield context.entities.lockEntities('@stock@7', '@stock@9')) as LockHandle;
  yield context.entities.callEntity('@stock@7', 'take', 1);
  lock.release();
  context.entities.signalEntity('@stock@1', 'note');
  try {
    yield context.callSubOrchestrator('Payment', undefined, {
      instanceId: `${context.instanceId}:pay`,
    });
  } catch {
    // The order goes on without it.
  }
  yield context.createTimer(6 * HOUR_S);
  const pictures = Array.from({ length: count }, (_, index) =>
    context.callActivity('Resize', index + 1),
  );
  for (const picture of pictures) {
    try {
      yield picture;
    } catch {
      // A picture less.
    }
  }
  yield context.callActivity('Archive');
}
