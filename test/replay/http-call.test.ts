import assert from 'node:assert/strict';
import type { HistoryEvent, OrchestratorAction } from '../../src/proto/orchestrator_service_pb.ts';
import { ClassicOrchestrationContext } from '../../src/replay/classic-context.ts';
import { DurableHttpResponse, pollRequest } from '../../src/replay/http-call.ts';
import type { CallHttpOptions, HttpPollInput } from '../../src/replay/http-call.ts';
import { pollHttp } from '../../src/replay/http-poll.ts';
import type { OrchestratorSession } from '../../src/replay/session.ts';
import {
  childCompleted,
  executionStarted,
  START_AT,
  taskCompleted,
  taskFailed,
  timerFired,
} from './support/events.ts';
import { classic, IDS, lines, live, locking } from './support/orchestrators.ts';

const URL_ = 'https://api.test/jobs';
const RETRY = { firstRetryIntervalInMilliseconds: 1000, maxNumberOfAttempts: 2 };

/** An orchestrator that makes one call and returns what it gave. */
function calling(options: CallHttpOptions): OrchestratorSession {
  return classic(function* ({ df }) {
    const response = (yield df.callHttp(options)) as DurableHttpResponse;
    return [response instanceof DurableHttpResponse, response];
  });
}

function inputOf(actions: readonly OrchestratorAction[]): unknown {
  const [{ orchestratorActionType: type } = assert.fail('no action')] = actions;
  assert.ok(type.case === 'scheduleTask' || type.case === 'createSubOrchestration');
  return JSON.parse(type.value.input ?? '');
}

function answer(statusCode: number, headers: Record<string, string> = {}, content = ''): object {
  return { statusCode, headers, content, url: URL_ };
}

/** The input of the activity that a call asks for first. */
function requestOf(options: CallHttpOptions): unknown {
  return inputOf(live(calling(options), executionStarted()).actions);
}

describe('context.df.callHttp', () => {
  it('asks for an activity, and gives its answer whatever the status', () => {
    const session = calling({ method: 'get', url: URL_ });

    const first = live(session, executionStarted());
    const last = live(session, taskCompleted(1, answer(404, { A: 'b' }, 'no')));

    assert.deepEqual(lines(first.actions), [
      `1 activity BuiltIn__HttpActivity({"method":"GET","url":"${URL_}","headers":{}})`,
    ]);
    assert.deepEqual(lines(last.actions), [
      '2 completed [true,{"statusCode":404,"content":"no","headers":{"A":"b"}}]',
    ]);
  });

  it('sends texts as they are, objects as JSON, and nothing for an empty body', () => {
    const contents = ['text', { a: 1 }, '', undefined].map((body) =>
      requestOf({ method: 'POST', url: URL_, body, headers: { a: 'b' } }),
    );

    const base = { method: 'POST', url: URL_, headers: { a: 'b' } };
    assert.deepEqual(contents, [
      { ...base, content: 'text' },
      { ...base, content: '{"a":1}' },
      base,
      base,
    ]);
  });

  it('passes the token source, the deadline and the retries on', () => {
    const tokenSource = { kind: 'AzureManagedIdentity', resource: 'https://vault.test' };
    const options = { tokenSource, retryOptions: RETRY, timeoutInMilliseconds: 5000 };

    const request = requestOf({ method: 'GET', url: URL_, ...options });

    assert.deepEqual(request, {
      ...{ method: 'GET', url: URL_, headers: {}, tokenSource, retry: RETRY },
      deadlineAt: START_AT + 5000,
    });
  });

  it('tries again as its retry options say', () => {
    const session = calling({ method: 'GET', url: URL_, retryOptions: RETRY });

    live(session, executionStarted());

    assert.deepEqual(lines(live(session, taskFailed(1, { errorMessage: 'no line' })).actions), [
      '2 timer +1s',
    ]);
    assert.match(lines(live(session, timerFired(2)).actions)[0] ?? '', /^3 activity BuiltIn__Http/);
    assert.match(
      lines(live(session, taskFailed(3, { errorMessage: 'no line' })).actions)[0] ?? '',
      /failed.*no line/,
    );
  });

  it('refuses what is no request', () => {
    const wrong: [object, RegExp][] = [
      [
        { method: ' ', url: URL_ },
        /^method: Expected an HTTP method such as "GET" but got string$/,
      ],
      [{ url: URL_ }, /^method: .* got undefined$/],
      [{ method: 'GET', url: '/jobs' }, /^url: Expected an absolute http or https URL/],
      [{ method: 'GET', url: 'ftp://a.test/' }, /^url: Expected/],
      [{ method: 'GET', url: URL_, retryOptions: {} }, /^retryOptions: Expected object of type/],
      [{ method: 'GET', url: URL_, timeoutInMilliseconds: 0 }, /^timeoutInMilliseconds: .* got 0$/],
    ];
    for (const [options, message] of wrong) {
      const session = classic(({ df }) => {
        assert.throws(() => df.callHttp(options as CallHttpOptions), {
          name: 'TypeError',
          message,
        });
      });
      assert.deepEqual(lines(live(session, executionStarted()).actions), ['1 completed']);
    }
  });

  it('follows a 202 with a child, and gives what the child found', () => {
    const session = calling({ method: 'POST', url: URL_, body: 'x', headers: { a: 'b' } });
    live(session, executionStarted());

    const { actions } = live(
      session,
      taskCompleted(1, answer(202, { location: '/jobs/7', 'retry-after': '2' })),
    );
    const last = live(session, childCompleted(2, answer(200, {}, 'done')));

    assert.match(
      lines(actions)[0] ?? '',
      new RegExp(`^2 child BuiltIn__HttpPollOrchestrator.* ${IDS.executionId}:0002$`),
    );
    assert.deepEqual(inputOf(actions), {
      origin: { method: 'POST', url: URL_, headers: { a: 'b' } },
      ...{ url: 'https://api.test/jobs/7', waitMs: 2000, sleepMs: 30_000 },
    });
    assert.deepEqual(lines(last.actions), [
      '3 completed [true,{"statusCode":200,"content":"done","headers":{}}]',
    ]);
  });

  it('gives a 202 as it is when polling is off or there is nothing to poll', () => {
    const location = { Location: '/jobs/7' };
    const cases: [Partial<CallHttpOptions>, Record<string, string>][] = [
      [{ enablePolling: false }, location],
      [{ asynchronousPatternEnabled: false }, location],
      [{ enablePolling: false, asynchronousPatternEnabled: true }, location],
      [{}, {}],
      [{}, { Location: 'mailto:somebody@api.test' }],
      [{}, { Location: 'https://' }],
    ];
    for (const [options, headers] of cases) {
      const session = calling({ method: 'GET', url: URL_, ...options });
      live(session, executionStarted());
      const { actions } = live(session, taskCompleted(1, answer(202, headers)));
      assert.match(lines(actions)[0] ?? '', /^2 completed .*"statusCode":202/);
    }
  });
});

describe('an answer to callHttp', () => {
  const env = { now: START_AT, sleepMs: 30_000 };
  const after = (text: string): DurableHttpResponse =>
    new DurableHttpResponse({ statusCode: 202, content: '', headers: { 'Retry-After': text } });

  it('finds headers by a name in any case', () => {
    const response = new DurableHttpResponse({
      statusCode: 200,
      content: '',
      headers: { ETag: '1' },
    });

    assert.deepEqual([response.getHeader('etag'), response.getHeader('x')], ['1', undefined]);
  });

  it('reads Retry-After as seconds or a date, within what a timer can wait', () => {
    const date = new Date(START_AT + 60_000).toUTCString();
    const waits = ['0', ' 1.5 ', date, new Date(0).toUTCString(), 'soon', '-5', ''].map((text) =>
      after(text).waitMs(env),
    );

    assert.deepEqual(waits.slice(0, 5), [0, 1500, 60_000, 0, 30_000]);
    assert.equal(waits[6], 30_000);
    assert.equal(START_AT + after('9'.repeat(30)).waitMs(env), Date.UTC(9999, 11, 31));
  });
});

describe('a poll request', () => {
  const tokenSource = { resource: 'https://vault.test' };
  const headers = {
    Authorization: 'Bearer secret',
    Cookie: 'a=b',
    'Proxy-Authorization': 'Basic secret',
    'X-Functions-Key': 'key',
    'Content-Type': 'text/plain',
    Accept: 'text/plain',
  };
  const origin = { method: 'POST', url: URL_, headers, tokenSource, deadlineAt: 9, retry: RETRY };

  it('keeps what belongs to the origin, without the body and its key', () => {
    const request = pollRequest(origin, 'https://api.test/status');

    assert.deepEqual(request, {
      ...{
        method: 'GET',
        url: 'https://api.test/status',
        tokenSource,
        deadlineAt: 9,
        retry: RETRY,
      },
      headers: {
        Authorization: 'Bearer secret',
        Cookie: 'a=b',
        'Proxy-Authorization': 'Basic secret',
        Accept: 'text/plain',
      },
    });
  });

  it('takes no secret to another origin', () => {
    for (const url of ['https://other.test/', 'http://api.test/', 'https://api.test:444/']) {
      const { headers: sent, tokenSource: token } = pollRequest(origin, url);
      assert.deepEqual([sent, token], [{ Accept: 'text/plain' }, undefined]);
    }
  });
});

describe('the poll orchestrator', () => {
  const input: HttpPollInput = {
    origin: { method: 'POST', url: URL_, headers: {} },
    ...{ url: `${URL_}/7`, waitMs: 2000, sleepMs: 30_000 },
  };

  function polling(): OrchestratorSession {
    return classic(({ df }) => pollHttp(df), {
      createContext: (engine) => ({
        df: new ClassicOrchestrationContext(engine, { defaultVersion: undefined, locking }),
      }),
    });
  }

  function started(changes: object = {}): HistoryEvent {
    return executionStarted({
      input: JSON.stringify({ ...input, ...changes }),
      parentId: 'parent',
    });
  }

  it('waits, asks, and gives the first answer that is no 202 with an address', () => {
    const session = polling();

    const first = live(session, started());
    const second = live(session, timerFired(1));
    const third = live(session, taskCompleted(2, answer(202, { Location: 'https://api.test/8' })));
    live(session, timerFired(3));
    const last = live(session, taskCompleted(4, answer(200, {}, 'done')));

    assert.deepEqual(lines(first.actions), ['1 timer +2s']);
    assert.deepEqual(inputOf(second.actions), { method: 'GET', url: `${URL_}/7`, headers: {} });
    assert.deepEqual(lines(third.actions), ['3 timer +30s']);
    assert.match(lines(last.actions)[0] ?? '', /^5 completed .*"content":"done"/);
  });

  it('waits no longer than the deadline of the call', () => {
    const origin = { ...input.origin, deadlineAt: START_AT + 500 };

    const { actions } = live(polling(), started({ origin }));

    assert.deepEqual(lines(actions), ['1 timer +0.5s']);
  });

  it('begins with an empty history after many polls', () => {
    const session = polling();
    live(session, started());
    let actions: readonly OrchestratorAction[] = [];
    for (let id = 1; id < 200; id += 2) {
      live(session, timerFired(id));
      ({ actions } = live(session, taskCompleted(id + 1, answer(202, { Location: '/9' }))));
    }

    const next = { ...input, url: 'https://api.test/9', waitMs: 30_000 };
    assert.deepEqual(lines(actions), [`201 continued ${JSON.stringify(next)}`]);
  });

  it('cannot be started by itself', () => {
    const { actions } = live(polling(), executionStarted({ input: JSON.stringify(input) }));

    assert.deepEqual(lines(actions), [
      '1 failed OrchestratorConstraintError: BuiltIn__HttpPollOrchestrator is a part of ' +
        'context.df.callHttp and cannot be started by itself.',
    ]);
  });
});
