import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import { TaskFailureDetailsSchema } from '../../src/proto/orchestrator_service_pb.ts';
import type { TaskFailureDetails } from '../../src/proto/orchestrator_service_pb.ts';
import { TaskFailedError } from '../../src/replay/errors.ts';
import { failureFromError, toFailureDetails } from '../../src/replay/failure.ts';
import type { TaskFailureInfo } from '../../src/replay/failure.ts';
import { event, executionStarted, taskFailed } from './support/events.ts';
import { classic, core, lines, live } from './support/orchestrators.ts';

/** The failure details of a session's last turn. */
function failureOf(result: ReturnType<typeof live>): TaskFailureDetails | undefined {
  const type = result.actions.at(-1)?.orchestratorActionType;
  return type?.case === 'completeOrchestration' ? type.value.failureDetails : undefined;
}

describe('failureFromError', () => {
  it('takes type, message, stack and the chain of causes', () => {
    const error = new RangeError('outer', { cause: new TypeError('inner') });

    const failure = failureFromError(error);

    assert.deepEqual(
      [failure.errorType, failure.errorMessage, failure.stackTrace, failure.isNonRetriable],
      ['RangeError', 'outer', error.stack, false],
    );
    assert.deepEqual(
      [failure.innerFailure?.errorType, failure.innerFailure?.errorMessage],
      ['TypeError', 'inner'],
    );
  });

  it('keeps a mark that says that retrying is no use', () => {
    const error = Object.assign(new Error('x'), { isNonRetriable: true });

    assert.equal(failureFromError(error).isNonRetriable, true);
  });

  it('ends chains of causes that never end', () => {
    const error = new Error('loop');
    error.cause = error;
    let depth = 0;
    let failure: TaskFailureDetails | undefined = failureFromError(error);
    while (failure !== undefined) {
      depth += 1;
      failure = failure.innerFailure;
    }

    assert.equal(depth, 10);
  });

  it('names errors without a name by their class, and leaves out a missing stack', () => {
    class Odd extends Error {
      override readonly name = '';
    }
    const error = new Odd('x');
    delete error.stack;

    const failure = failureFromError(error);

    assert.deepEqual([failure.errorType, failure.stackTrace], ['Odd', undefined]);
  });

  it('describes whatever else was thrown', () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;

    assert.deepEqual(
      ['text', 5, undefined, null, { a: 1 }, circular].map(
        (thrown) => failureFromError(thrown).errorMessage,
      ),
      ['text', '5', 'undefined', 'null', '{"a":1}', '[object Object]'],
    );
  });
});

describe('toFailureDetails', () => {
  it('gives plain data with properties and the inner chain', () => {
    const details = toFailureDetails(
      create(TaskFailureDetailsSchema, {
        errorType: 'Outer',
        errorMessage: 'message',
        stackTrace: 'at x',
        isNonRetriable: true,
        properties: { code: { kind: { case: 'numberValue', value: 7 } } },
        innerFailure: { errorType: 'Inner', errorMessage: 'why' },
      }),
    );

    assert.deepEqual(
      [details.errorType, details.stackTrace, details.isNonRetriable, details.properties],
      ['Outer', 'at x', true, { code: 7 }],
    );
    assert.deepEqual(
      ['Outer', 'Inner', 'Other'].map((type) => details.isCausedBy(type)),
      [true, true, false],
    );
    assert.equal('properties' in (details.innerFailure ?? {}), false);
  });

  it('fills in what a worker left out', () => {
    const { errorType, errorMessage, isNonRetriable } = toFailureDetails(undefined);

    assert.deepEqual([errorType, errorMessage, isNonRetriable], ['Error', 'Unknown error', false]);
  });
});

describe('failed tasks', () => {
  it('become the error that the style makes of them', () => {
    const infos: TaskFailureInfo[] = [];
    const session = classic(
      function* ({ df }) {
        yield df.callActivity('A');
      },
      {
        createFailure: (info) => {
          infos.push(info);
          return new Error(`made of ${info.details.errorMessage}`);
        },
      },
    );
    live(session, executionStarted());

    const turn = live(session, taskFailed(1, { errorType: 'E', errorMessage: 'broken' }));

    assert.deepEqual(lines(turn.actions), ['2 failed Error: made of broken']);
    assert.deepEqual(
      infos.map(({ kind, taskName, taskId }) => [kind, taskName, taskId]),
      [['activity', 'A', 1]],
    );
  });

  it('are the inner failure of an orchestration that does not catch them', () => {
    const session = core(function* (context) {
      yield context.callActivity('A');
    });
    live(session, executionStarted());

    const deep = { errorType: 'Deep', errorMessage: 'deeper', isNonRetriable: true };
    const failure = failureOf(live(session, taskFailed(1, deep)));

    assert.equal(failure?.errorType, 'TaskFailedError');
    assert.deepEqual(
      [failure.innerFailure?.errorType, failure.innerFailure?.isNonRetriable],
      ['Deep', true],
    );
  });

  it('show their details to core code', () => {
    const details = toFailureDetails(undefined);

    const error = new TaskFailedError('text', details);

    assert.deepEqual(error.details, {
      errorType: 'Error',
      message: 'Unknown error',
      stackTrace: undefined,
    });
    assert.equal(error.failureDetails, details);
  });

  it('fail when their result is no JSON', () => {
    const session = classic(function* ({ df }) {
      yield df.callActivity('A');
    });
    live(session, executionStarted());

    const result = event({ case: 'taskCompleted', value: { taskScheduledId: 1, result: 'text' } });

    assert.deepEqual(lines(live(session, result).actions), [
      "2 failed SyntaxError: The result of activity 'A' is not valid JSON.",
    ]);
  });

  it('of one whenAll are told by the first of them', () => {
    const error = new AggregateError([new TypeError('first'), new Error('second')], 'all');

    assert.equal(failureFromError(error).innerFailure?.errorMessage, 'first');
  });
});
