import assert from 'node:assert/strict';
import { toJson } from '@bufbuild/protobuf';
import { EntityInstanceId } from '../../src/core/entity-instance-id.ts';
import { OrchestratorActionSchema } from '../../src/proto/orchestrator_service_pb.ts';
import { EntityOperationFailedException } from '../../src/replay/errors.ts';
import { requestIdOf } from './support/entity-ids.ts';
import {
  committed,
  executionStarted,
  operationCompleted,
  operationFailed,
  START_AT,
  terminated,
  turnStarted,
} from './support/events.ts';
import { OrchestratorSession } from '../../src/replay/session.ts';
import { classic, classicOptions, core, IDS, lines, live, now } from './support/orchestrators.ts';
import type { ClassicHandler, CoreHandler } from './support/orchestrators.ts';

const counter = new EntityInstanceId('Counter', 'a');
const callsAdd: ClassicHandler = function* ({ df }) {
  return (yield df.callEntity(counter, 'add', 1)) as unknown;
};

/** A second session, from the history that a first one left. */
function replayed(handler: ClassicHandler, ...answers: Parameters<typeof live>[1][]): string[] {
  const first = live(classic(handler), executionStarted());
  const pastEvents = [turnStarted(), executionStarted(), ...committed(first.actions)];
  const turn = now(classic(handler).turn({ pastEvents, newEvents: [turnStarted(), ...answers] }));
  return lines(turn.actions);
}

describe('a call of an entity', () => {
  it('says who calls what on which entity', () => {
    const { actions } = live(classic(callsAdd), executionStarted());

    const [action] = actions.map((one) => toJson(OrchestratorActionSchema, one));
    const requestId = requestIdOf(actions, 1);
    assert.deepEqual(action, {
      id: 1,
      sendEntityMessage: {
        entityOperationCalled: {
          requestId,
          operation: 'add',
          input: '1',
          targetInstanceId: '@counter@a',
          parentInstanceId: IDS.instanceId,
          parentExecutionId: IDS.executionId,
        },
      },
    });
    assert.match(requestId, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  });

  it('gives what the operation returned', () => {
    const session = classic(callsAdd);
    const { actions } = live(session, executionStarted());

    const turn = live(session, operationCompleted(requestIdOf(actions, 1), { value: 7 }));

    assert.deepEqual(lines(turn.actions), ['2 completed {"value":7}']);
  });

  it('gives undefined for an operation that returned nothing', () => {
    const session = classic(callsAdd);
    const { actions } = live(session, executionStarted());

    const turn = live(session, operationCompleted(requestIdOf(actions, 1)));

    assert.deepEqual(lines(turn.actions), ['2 completed']);
  });

  it('throws what the operation threw, with its details', () => {
    let caught: unknown;
    const session = classic(function* ({ df }) {
      try {
        yield df.callEntity(counter, 'add', 1);
      } catch (error) {
        caught = error;
      }
    });
    const { actions } = live(session, executionStarted());

    live(
      session,
      operationFailed(requestIdOf(actions, 1), {
        errorType: 'RangeError',
        errorMessage: 'too much',
        stackTrace: 'there',
      }),
    );

    assert.ok(caught instanceof EntityOperationFailedException);
    assert.equal(caught.message, "Operation 'add' of entity '@counter@a' failed: too much");
    assert.equal(caught.name, 'EntityOperationFailedException');
    assert.equal(caught.entityId.toString(), '@counter@a');
    assert.equal(caught.operationName, 'add');
    assert.equal(caught.failureDetails.errorType, 'RangeError');
    assert.equal(caught.failureDetails.stackTrace, 'there');
  });

  it('fails the orchestration when nobody catches it, the details as inner failure', () => {
    const session = classic(callsAdd);
    const { actions } = live(session, executionStarted());

    const turn = live(
      session,
      operationFailed(requestIdOf(actions, 1), { errorType: 'Boom', errorMessage: 'bad' }),
    );

    const type = turn.actions[0]?.orchestratorActionType;
    const failure = type?.case === 'completeOrchestration' ? type.value.failureDetails : undefined;
    assert.equal(failure?.errorMessage, "Operation 'add' of entity '@counter@a' failed: bad");
    assert.equal(failure.innerFailure?.errorType, 'Boom');
  });

  it('reads a failure without details as an unknown error', () => {
    const session = classic(callsAdd);
    const { actions } = live(session, executionStarted());

    const turn = live(session, operationFailed(requestIdOf(actions, 1)));

    assert.deepEqual(lines(turn.actions), [
      "2 failed EntityOperationFailedException: Operation 'add' of entity '@counter@a' failed: Unknown error",
    ]);
  });

  it('fails on a result that is no JSON', () => {
    const session = classic(callsAdd);
    const { actions } = live(session, executionStarted());
    const answer = operationCompleted(requestIdOf(actions, 1));
    if (answer.eventType.case === 'entityOperationCompleted') answer.eventType.value.output = '{';

    assert.deepEqual(lines(live(session, answer).actions), [
      "2 failed SyntaxError: The result of operation 'add' of entity '@counter@a' is not valid JSON.",
    ]);
  });

  it('ignores answers that it does not wait for, and repeats', () => {
    const session = classic(function* ({ df }) {
      yield df.callEntity(counter, 'one');
      yield df.callEntity(counter, 'two');
    });
    const { actions } = live(session, executionStarted());
    const requestId = requestIdOf(actions, 1);

    const turn = live(
      session,
      operationCompleted('unknown'),
      operationFailed('unknown'),
      operationCompleted(requestId),
      operationCompleted(requestId),
      operationFailed(requestId),
    );

    assert.deepEqual(lines(turn.actions), ['2 call @counter@a two()']);
  });

  it('is asked for when it is yielded in the classic style', () => {
    const session = classic(function* ({ df }) {
      const call = df.callEntity(counter, 'one');
      yield df.callEntity({ name: 'COUNTER', key: 'B' }, 'two');
      yield call;
    });

    assert.deepEqual(lines(live(session, executionStarted()).actions), ['1 call @counter@B two()']);
  });

  it('is asked for at once in the core style', () => {
    const handler: CoreHandler = function* ({ entities }) {
      entities.callEntity(counter, 'one');
      yield entities.callEntity('@counter@b', 'two', 0);
    };

    assert.deepEqual(lines(live(core(handler), executionStarted()).actions), [
      '1 call @counter@a one()',
      '2 call @counter@b two(0)',
    ]);
  });

  it('is answered after a replay', () => {
    const { actions } = live(classic(callsAdd), executionStarted());

    assert.deepEqual(replayed(callsAdd, operationCompleted(requestIdOf(actions, 1), 5)), [
      '2 completed 5',
    ]);
  });

  it('is answered under the request id that the history holds, whoever made it', () => {
    const { actions } = live(classic(callsAdd), executionStarted());
    const ours = requestIdOf(actions, 1);
    const recorded = committed(actions);
    const [called] = recorded;
    if (called?.eventType.case === 'entityOperationCalled') {
      called.eventType.value.requestId = 'made-elsewhere';
    }
    const pastEvents = [turnStarted(), executionStarted(), ...recorded];
    const newEvents = [
      turnStarted(),
      operationCompleted(ours, 'ours'),
      operationCompleted('made-elsewhere', 'theirs'),
    ];

    const turn = now(classic(callsAdd).turn({ pastEvents, newEvents }));

    assert.deepEqual(lines(turn.actions), ['2 completed "theirs"']);
  });

  it('is dropped when the orchestration is terminated in the same turn, other than signals', () => {
    const session = core(function* ({ entities }) {
      entities.signalEntity(counter, 'note');
      yield entities.callEntity(counter, 'add');
    });

    assert.deepEqual(lines(live(session, executionStarted(), terminated('over')).actions), [
      '1 signal @counter@a note()',
      '3 terminated "over"',
    ]);
  });

  it('throws where it is yielded when its input cannot be written', () => {
    const session = classic(function* ({ df }) {
      try {
        return (yield df.callEntity(counter, 'add', 1n)) as unknown;
      } catch (error) {
        return (error as Error).message;
      }
    });

    assert.deepEqual(lines(live(session, executionStarted()).actions), [
      "1 completed \"The input of operation 'add' of entity '@counter@a' cannot be written as JSON: " +
        'Do not know how to serialize a BigInt"',
    ]);
  });

  it('refuses a missing entity, a blank operation and a name with an @', () => {
    const messages: string[] = [];
    const session = classic(({ df }) => {
      const calls = [
        () => df.callEntity(undefined as never, 'add'),
        () => df.callEntity(counter, ' '),
        () => df.callEntity({ name: 'a@b', key: '' }, 'add'),
        () => {
          df.signalEntity(undefined as never, 'add');
        },
        () => {
          df.signalEntity(counter, 1 as never);
        },
      ];
      for (const call of calls) {
        try {
          call();
        } catch (error) {
          messages.push((error as Error).message);
        }
      }
    });
    live(session, executionStarted());

    assert.deepEqual(messages, [
      'Must provide EntityId to CallEntityAction constructor',
      'operation: Expected non-empty, non-whitespace string but got empty string',
      "Entity names may not contain '@' characters.",
      'Must provide EntityId to SignalEntityAction constructor',
      'operation: Expected non-empty, non-whitespace string but got number',
    ]);
  });
});

describe('a signal to an entity', () => {
  it('is sent at once in both styles, falsy inputs included', () => {
    const inClassic = classic(({ df }) => {
      df.signalEntity(counter, 'set', 0);
      df.signalEntity(counter, 'set', false);
      df.signalEntity(counter, 'set', '');
    });
    const inCore = core(({ entities }) => {
      entities.signalEntity(counter, 'set', null);
      entities.signalEntity(counter, 'set');
    });

    assert.deepEqual(lines(live(inClassic, executionStarted()).actions), [
      '1 signal @counter@a set(0)',
      '2 signal @counter@a set(false)',
      '3 signal @counter@a set("")',
      '4 completed',
    ]);
    assert.deepEqual(lines(live(inCore, executionStarted()).actions), [
      '1 signal @counter@a set(null)',
      '2 signal @counter@a set()',
      '3 completed',
    ]);
  });

  it('may be meant for later', () => {
    const signalTime = new Date(START_AT + 5000);
    const inClassic = classic(({ df }) => {
      df.signalEntity(counter, 'set', 1, { signalTime });
    });
    const inCore = core(({ entities }) => {
      entities.signalEntity(counter, 'set', 1, { signalTime });
    });

    const [line] = lines(live(inClassic, executionStarted()).actions);
    assert.equal(line, '1 signal @counter@a set(1) at 5000');
    assert.equal(lines(live(inCore, executionStarted()).actions)[0], line);
  });

  it('is sent once: a replay finds it in the history', () => {
    const handler: ClassicHandler = function* ({ df }) {
      df.signalEntity(counter, 'set', 1);
      return (yield df.callEntity(counter, 'get')) as unknown;
    };
    const { actions } = live(classic(handler), executionStarted());

    assert.deepEqual(replayed(handler, operationCompleted(requestIdOf(actions, 2), 1)), [
      '3 completed 1',
    ]);
  });

  it('carries another request id in another execution', () => {
    const handler: ClassicHandler = ({ df }) => {
      df.signalEntity(counter, 'set', 1);
    };
    const idIn = (executionId: string): string => {
      const session = new OrchestratorSession(classicOptions(handler), { ...IDS, executionId });
      return requestIdOf(live(session, executionStarted()).actions, 1);
    };

    assert.equal(idIn('first'), idIn('first'));
    assert.notEqual(idIn('first'), idIn('second'));
  });
});
