import assert from 'node:assert/strict';
import azureFunctions from '@azure/functions';
import type { OrchestrationContext } from '../../src/index.ts';
import { TaskFailedError } from '../../src/index.ts';
import { orchestratorStyle } from '../../src/functions/orchestrator-style.ts';
import { OrchestratorSession } from '../../src/replay/session.ts';
import type { OrchestratorOptions, TurnResult } from '../../src/replay/session.ts';
import {
  committed,
  executionStarted,
  taskCompleted,
  taskFailed,
  turnStarted,
} from '../replay/support/events.ts';
import { classicOptions, IDS } from '../replay/support/orchestrators.ts';

type Handler = (context: OrchestrationContext, input: unknown) => unknown;

function open(handler: Handler, logsReplays?: boolean): OrchestratorSession {
  const style = orchestratorStyle({ name: 'Test', defaultVersion: undefined, logsReplays });
  const options: OrchestratorOptions = {
    ...classicOptions(() => undefined),
    ...style,
    handler,
  };
  return new OrchestratorSession(options, IDS);
}

async function firstTurn(handler: Handler, input?: unknown): Promise<TurnResult> {
  const started = executionStarted(input === undefined ? {} : { input: JSON.stringify(input) });
  return open(handler).turn({ pastEvents: [], newEvents: [turnStarted(), started] });
}

function outputOf({ actions }: TurnResult): unknown {
  const last = actions.at(-1)?.orchestratorActionType;
  assert.ok(last?.case === 'completeOrchestration', 'the orchestration has not ended');
  assert.equal(last.value.failureDetails, undefined);
  return JSON.parse(last.value.result ?? 'null');
}

const kinds = (result: TurnResult): (string | undefined)[] =>
  result.actions.map(({ orchestratorActionType }) => orchestratorActionType.case);

describe('orchestratorStyle', () => {
  it('gives every orchestrator an invocation context with df', async () => {
    const result = await firstTurn(function* (context) {
      yield* [];
      return [
        context instanceof azureFunctions.InvocationContext,
        context.functionName,
        context.df.instanceId,
      ];
    });

    assert.deepEqual(outputOf(result), [true, 'Test', IDS.instanceId]);
  });

  it('passes the input as second argument to every shape of orchestrator', async () => {
    const shapes: Handler[] = [
      function* (_context, input) {
        yield* [];
        return input;
      },
      async function* (_context, input) {
        yield* [];
        return input;
      },
      (_context, input) => input,
      async (_context, input) => input,
    ];

    const outputs = await Promise.all(
      shapes.map(async (shape) => outputOf(await firstTurn(shape, { n: 1 }))),
    );

    assert.deepEqual(outputs, [{ n: 1 }, { n: 1 }, { n: 1 }, { n: 1 }]);
  });

  it('schedules nothing that a generator has not yielded', async () => {
    const generator: Handler = function* (context) {
      context.df.callActivity('never');
      yield context.df.callActivity('now');
    };

    assert.deepEqual(kinds(await firstTurn(generator)), ['scheduleTask']);
    assert.deepEqual(kinds(await firstTurn((context, input) => generator(context, input))), [
      'scheduleTask',
    ]);
  });

  it('schedules at once what an async generator calls, in both styles of context', async () => {
    const result = await firstTurn(async function* (context) {
      context.df.callActivity('a');
      yield context.callActivity('b');
    });

    assert.deepEqual(kinds(result), ['scheduleTask', 'scheduleTask']);
  });

  it('throws the TaskFailedError of durable-functions into the orchestrator', async () => {
    const session = open(function* (context): Generator<unknown, unknown, unknown> {
      try {
        yield context.df.callActivity('boom');
      } catch (error) {
        return error instanceof TaskFailedError && [error.message, error.failureDetails.errorType];
      }
      return 'nothing was thrown';
    });
    await session.turn({ pastEvents: [], newEvents: [turnStarted(), executionStarted()] });

    const result = await session.turn({
      pastEvents: [],
      newEvents: [
        turnStarted(),
        taskFailed(1, { errorType: 'RangeError', errorMessage: 'too far' }),
      ],
    });

    assert.deepEqual(outputOf(result), ['RangeError: too far', 'RangeError']);
  });

  /** What an orchestrator logs in its second turn, on a worker that has not seen the first. */
  async function loggedInReplay(logsReplays?: boolean): Promise<string[]> {
    const logged: string[] = [];
    const logging: Handler = function* (context) {
      context.log(`replaying: ${String(context.df.isReplaying)}`);
      yield context.df.callActivity('a');
      context.log('live');
    };
    const { log } = console;
    // The library's fallback outside a host.
    console.log = (text: string) => logged.push(text);
    try {
      const { actions } = await firstTurn(logging);
      logged.length = 0;
      await open(logging, logsReplays).turn({
        pastEvents: [turnStarted(), executionStarted(), ...committed(actions)],
        newEvents: [turnStarted(), taskCompleted(1)],
      });
    } finally {
      console.log = log;
    }
    return logged;
  }

  it('is silent in the log while it replays', async () => {
    assert.deepEqual(await loggedInReplay(), ['[Test] live']);
  });

  it('logs replays when it is told to', async () => {
    assert.deepEqual(await loggedInReplay(true), ['[Test] replaying: true', '[Test] live']);
  });
});
