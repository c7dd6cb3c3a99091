import assert from 'node:assert/strict';
import { systemClock } from '../../../src/base/clock.ts';

/** What a row's check is given. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** One answer of the durable HTTP API: an endpoint, a status code, and when it is given. */
export interface HttpApiRow {
  readonly endpoint: string;
  readonly code: number;
  readonly when: string;
  readonly ask: (api: HttpApi) => Promise<Answer>;
  readonly check?: (answer: Answer) => void;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const ENDED = ['Completed', 'Failed', 'Terminated'];

/** The API of an app, below `base`, as a user with curl has it. */
export class HttpApi {
  readonly #base: string;
  #count = 0;

  constructor(base: string) {
    this.#base = base;
  }

  async ask(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`${this.#base}/${path}`, { method, ...init });
    const text = await response.text();
    const isJson = /^application\/json/.test(response.headers.get('content-type') ?? '');
    const body: unknown = isJson && text !== '' ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body };
  }

  post(path: string, body?: string): Promise<Answer> {
    return this.ask('POST', path, body === undefined ? {} : { body, headers: JSON_TYPE });
  }

  /** Starts an instance and returns its id. */
  async started(name = 'waitsForApproval'): Promise<string> {
    this.#count += 1;
    const id = `row-${this.#count}`;
    const { status } = await this.post(`orchestrators/${name}/${id}`);
    assert.equal(status, 202);
    return id;
  }

  /** An instance that has ended, however. */
  async ended(name = 'helloCities'): Promise<string> {
    const id = await this.started(name);
    await this.until(id, ENDED);
    return id;
  }

  async terminated(): Promise<string> {
    const id = await this.started();
    await this.post(`instances/${id}/terminate?reason=x`);
    await this.until(id, ENDED);
    return id;
  }

  /** Sets a counter, and gives its state once it has one. */
  async counter(key: string, value: number): Promise<Answer> {
    await this.post(`entities/counter/${key}?op=add`, String(value));
    const lateAt = systemClock.now() + 10_000;
    const { signal } = new AbortController();
    for (;;) {
      const answer = await this.ask('GET', `entities/counter/${key}`);
      if (answer.status !== 404) return answer;
      assert.ok(systemClock.now() < lateAt, `counter ${key} has no state`);
      await systemClock.sleepUntil(systemClock.now() + 10, { signal });
    }
  }

  async until(id: string, wanted: readonly string[]): Promise<void> {
    const lateAt = systemClock.now() + 10_000;
    const { signal } = new AbortController();
    for (;;) {
      const { body } = await this.ask('GET', `instances/${id}`);
      const { runtimeStatus } = body as { readonly runtimeStatus: string };
      if (wanted.includes(runtimeStatus)) return;
      assert.ok(systemClock.now() < lateAt, `${id} is ${runtimeStatus}`);
      await systemClock.sleepUntil(systemClock.now() + 10, { signal });
    }
  }
}

function has(answer: Answer, expected: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(expected)) {
    assert.deepEqual((answer.body as Record<string, unknown>)[name], value, name);
  }
}

function isPayload(answer: Answer): void {
  const names = Object.keys(answer.body as object).sort();
  assert.deepEqual(names, [
    ...['id', 'purgeHistoryDeleteUri', 'restartPostUri', 'resumePostUri', 'rewindPostUri'],
    ...['sendEventPostUri', 'statusQueryGetUri', 'suspendPostUri', 'terminatePostUri'],
  ]);
  const { statusQueryGetUri } = answer.body as { readonly statusQueryGetUri: string };
  assert.equal(answer.headers.get('location'), statusQueryGetUri);
  assert.equal(answer.headers.get('retry-after'), '10');
}

const START = 'POST /orchestrators/{functionName}[/{instanceId}]';
const starting: HttpApiRow[] = [
  {
    ...{ endpoint: START, code: 202, when: 'the instance was started' },
    ask: (api) => api.post('orchestrators/waitsForApproval', '{"a":1}'),
    check: isPayload,
  },
  {
    ...{ endpoint: START, code: 202, when: 'it did not end within `timeout`' },
    ask: (api) => api.post('orchestrators/waitsForApproval?timeout=0.2&pollingInterval=0.1'),
    check: isPayload,
  },
  {
    ...{ endpoint: START, code: 200, when: 'it completed within `timeout`: its output' },
    ask: (api) => api.post('orchestrators/helloCities?timeout=10&pollingInterval=1'),
    check: ({ body }) => {
      assert.deepEqual(body, ['Hello Tokyo!', 'Hello Seattle!', 'Hello London!']);
    },
  },
  {
    ...{ endpoint: START, code: 500, when: 'it failed, with `returnInternalServerErrorOnFailure`' },
    ask: (api) =>
      api.post(
        'orchestrators/fails?timeout=10&pollingInterval=1&returnInternalServerErrorOnFailure=true',
      ),
    check: (answer) => has(answer, { runtimeStatus: 'Failed' }),
  },
  {
    ...{ endpoint: START, code: 400, when: 'the app has no such orchestrator' },
    ask: (api) => api.post('orchestrators/nobody'),
    check: ({ body }) => {
      assert.equal(
        body,
        "The function 'nobody' doesn't exist, is disabled, or is not an orchestrator function.",
      );
    },
  },
  {
    ...{ endpoint: START, code: 400, when: 'the body is not JSON' },
    ask: (api) => api.post('orchestrators/helloCities', '{'),
  },
  {
    ...{ endpoint: START, code: 400, when: '`pollingInterval` exceeds `timeout`' },
    ask: (api) => api.post('orchestrators/helloCities?timeout=1&pollingInterval=2'),
  },
  {
    ...{ endpoint: START, code: 400, when: 'the function is one of this package' },
    ask: (api) => api.post('orchestrators/BuiltIn__HttpPollOrchestrator'),
  },
  {
    ...{ endpoint: START, code: 409, when: 'a live instance has that id' },
    ask: async (api) => api.post(`orchestrators/waitsForApproval/${await api.started()}`),
  },
];

const STATUS = 'GET /instances/{instanceId}';
const LIST = 'GET /instances';
const reading: HttpApiRow[] = [
  {
    ...{ endpoint: STATUS, code: 202, when: 'it has not ended' },
    ask: async (api) => api.ask('GET', `instances/${await api.started()}`),
    check: (answer) => {
      assert.match(answer.headers.get('location') ?? '', /\/instances\/row-\d+$/);
      assert.equal(answer.headers.get('retry-after'), '5');
      has(answer, { name: 'waitsForApproval', output: null, input: null });
    },
  },
  {
    ...{ endpoint: STATUS, code: 200, when: 'it has ended' },
    ask: async (api) => api.ask('GET', `instances/${await api.ended()}?showHistory=true`),
    check: (answer) => {
      has(answer, { runtimeStatus: 'Completed', customStatus: null });
      const { createdTime, historyEvents } = answer.body as {
        readonly createdTime: string;
        readonly historyEvents: readonly { readonly EventType: string }[];
      };
      assert.match(createdTime, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      assert.deepEqual(
        historyEvents.map(({ EventType }) => EventType),
        [
          'ExecutionStarted',
          'TaskCompleted',
          'TaskCompleted',
          'TaskCompleted',
          'ExecutionCompleted',
        ],
      );
    },
  },
  {
    ...{ endpoint: STATUS, code: 200, when: 'it has failed' },
    ask: async (api) => api.ask('GET', `instances/${await api.ended('fails')}`),
    check: (answer) => has(answer, { runtimeStatus: 'Failed' }),
  },
  {
    ...{
      endpoint: STATUS,
      code: 500,
      when: 'it failed, with `returnInternalServerErrorOnFailure`',
    },
    ask: async (api) => {
      const id = await api.ended('fails');
      return api.ask('GET', `instances/${id}?returnInternalServerErrorOnFailure=true`);
    },
    check: (answer) => has(answer, { runtimeStatus: 'Failed' }),
  },
  {
    ...{ endpoint: STATUS, code: 404, when: 'there is no such instance' },
    ask: (api) => api.ask('GET', 'instances/nobody'),
  },
  {
    ...{ endpoint: STATUS, code: 400, when: '`taskHub` is not the hub of the app' },
    ask: (api) => api.ask('GET', 'instances/nobody?taskHub=other'),
  },
  {
    ...{ endpoint: LIST, code: 200, when: 'always: one page, with the token of the next' },
    ask: async (api) => {
      await Promise.all([api.started(), api.started()]);
      const first = await api.ask('GET', 'instances?top=1&instanceIdPrefix=row-');
      const token = first.headers.get('x-ms-continuation-token') ?? '';
      const headers = { 'x-ms-continuation-token': token };
      const next = await api.ask('GET', 'instances?top=1&instanceIdPrefix=row-', { headers });
      return { ...first, body: [first.body, next.body] };
    },
    check: ({ body }) => {
      const [first, next] = (body as readonly { readonly instanceId: string }[][]).flat();
      assert.match(first?.instanceId ?? '', /^row-/);
      assert.notEqual(first?.instanceId, next?.instanceId);
    },
  },
  {
    ...{ endpoint: LIST, code: 400, when: 'a status, time or count is none' },
    ask: (api) => api.ask('GET', 'instances?runtimeStatus=Asleep'),
  },
];

const RAISE = 'POST /instances/{instanceId}/raiseEvent/{eventName}';
const raising: HttpApiRow[] = [
  {
    ...{ endpoint: RAISE, code: 202, when: 'the event was sent' },
    ask: async (api) => api.post(`instances/${await api.started()}/raiseEvent/Approval`, '"yes"'),
  },
  {
    ...{ endpoint: RAISE, code: 400, when: 'the body is not JSON, by its type' },
    ask: async (api) => {
      const init = { body: 'yes', headers: { 'content-type': 'text/plain' } };
      return api.ask('POST', `instances/${await api.started()}/raiseEvent/Approval`, init);
    },
    check: ({ body }) => {
      assert.equal(body, 'Only application/json request content is supported');
    },
  },
  {
    ...{ endpoint: RAISE, code: 400, when: 'the body is not JSON, by its text' },
    ask: async (api) => api.post(`instances/${await api.started()}/raiseEvent/Approval`, '{'),
  },
  {
    ...{ endpoint: RAISE, code: 404, when: 'there is no such instance' },
    ask: (api) => api.post('instances/nobody/raiseEvent/Approval', '1'),
  },
  {
    ...{ endpoint: RAISE, code: 410, when: 'the instance has ended' },
    ask: async (api) => api.post(`instances/${await api.ended()}/raiseEvent/Approval`, '1'),
  },
];

const commands: HttpApiRow[] = ['terminate', 'suspend', 'resume'].flatMap((verb) => {
  const endpoint = `POST /instances/{instanceId}/${verb}`;
  return [
    {
      ...{ endpoint, code: 202, when: 'it was asked for' },
      ask: async (api: HttpApi) => {
        const id = await api.started();
        if (verb === 'resume') await api.post(`instances/${id}/suspend`);
        return api.post(`instances/${id}/${verb}?reason=because`);
      },
    },
    {
      ...{ endpoint, code: 404, when: 'there is no such instance' },
      ask: (api: HttpApi) => api.post(`instances/nobody/${verb}`),
    },
    {
      ...{ endpoint, code: 410, when: 'the instance has ended' },
      ask: async (api: HttpApi) => api.post(`instances/${await api.ended()}/${verb}`),
    },
  ];
});

const REWIND = 'POST /instances/{instanceId}/rewind';
const RESTART = 'POST /instances/{instanceId}/restart';
const revival: HttpApiRow[] = [
  {
    ...{ endpoint: REWIND, code: 202, when: 'it had failed' },
    ask: async (api) => api.post(`instances/${await api.ended('worksTheSecondTime')}/rewind`),
  },
  {
    ...{ endpoint: REWIND, code: 404, when: 'there is no such instance' },
    ask: (api) => api.post('instances/nobody/rewind'),
  },
  {
    ...{ endpoint: REWIND, code: 410, when: 'it has ended without a failure' },
    ask: async (api) => api.post(`instances/${await api.terminated()}/rewind`),
  },
  {
    ...{ endpoint: REWIND, code: 412, when: 'it has not ended' },
    ask: async (api) => api.post(`instances/${await api.started()}/rewind`),
  },
  {
    ...{ endpoint: RESTART, code: 202, when: 'it was started again, under a new id' },
    ask: async (api) => api.post(`instances/${await api.ended('waitsForNothing')}/restart`),
    check: isPayload,
  },
  {
    ...{ endpoint: RESTART, code: 200, when: 'it completed within `timeout`: its output' },
    ask: async (api) => {
      const id = await api.ended('waitsForNothing');
      const query = 'restartWithNewInstanceId=false&timeout=10&pollingInterval=1';
      return api.post(`instances/${id}/restart?${query}`);
    },
    check: ({ body }) => {
      assert.equal(body, 'done');
    },
  },
  {
    ...{ endpoint: RESTART, code: 400, when: 'there is no such instance' },
    ask: (api) => api.post('instances/nobody/restart'),
    check: ({ body }) => {
      assert.equal(body, 'InstanceId does not match a valid orchestration instance.');
    },
  },
  {
    ...{ endpoint: RESTART, code: 412, when: 'it has not ended and is to keep its id' },
    ask: async (api) => {
      const id = await api.started();
      return api.post(`instances/${id}/restart?restartWithNewInstanceId=false`);
    },
  },
];

const PURGE = 'DELETE /instances/{instanceId}';
const PURGE_MANY = 'DELETE /instances';
const purging: HttpApiRow[] = [
  {
    ...{ endpoint: PURGE, code: 200, when: 'it was deleted' },
    ask: async (api) => api.ask('DELETE', `instances/${await api.ended()}`),
    check: ({ body }) => {
      assert.deepEqual(body, { instancesDeleted: 1 });
    },
  },
  {
    ...{ endpoint: PURGE, code: 404, when: 'there is no such instance, or it has not ended' },
    ask: async (api) => api.ask('DELETE', `instances/${await api.started()}`),
  },
  {
    ...{ endpoint: PURGE_MANY, code: 200, when: 'some were deleted' },
    ask: async (api) => {
      await api.terminated();
      const query = 'createdTimeFrom=2020-01-01T00:00:00Z&runtimeStatus=Terminated';
      return api.ask('DELETE', `instances?${query}`);
    },
    check: ({ body }) => {
      const { instancesDeleted } = body as { readonly instancesDeleted: number };
      assert.ok(instancesDeleted > 0);
    },
  },
  {
    ...{ endpoint: PURGE_MANY, code: 404, when: 'there was none to delete' },
    ask: (api) =>
      api.ask('DELETE', 'instances?createdTimeFrom=2020-01-01&createdTimeTo=2020-01-02'),
  },
  {
    ...{ endpoint: PURGE_MANY, code: 400, when: '`createdTimeFrom` is missing' },
    ask: (api) => api.ask('DELETE', 'instances'),
    check: ({ body }) => {
      assert.equal(body, "Please provide value for 'createdTimeFrom' parameter.");
    },
  },
];

const ENTITY = '/entities/{name}/{key}';
const ENTITIES = 'GET /entities[/{name}]';
const entities: HttpApiRow[] = [
  {
    ...{ endpoint: `POST ${ENTITY}`, code: 202, when: 'the operation `op` was signalled' },
    ask: (api) => api.post('entities/counter/a?op=add', '1'),
  },
  {
    ...{
      endpoint: `POST ${ENTITY}`,
      code: 400,
      when: 'the body is not JSON, though its type says so',
    },
    ask: (api) => api.post('entities/counter/a?op=add', '{'),
  },
  {
    ...{ endpoint: `POST ${ENTITY}`, code: 400, when: '`op` is missing' },
    ask: (api) => api.post('entities/counter/a', '1'),
    check: ({ body }) => {
      assert.equal(body, "Please provide value for 'op' parameter.");
    },
  },
  {
    ...{ endpoint: `GET ${ENTITY}`, code: 200, when: 'it exists: its state' },
    ask: (api) => api.counter('b', 7),
    check: ({ body }) => {
      assert.equal(body, 7);
    },
  },
  {
    ...{ endpoint: `GET ${ENTITY}`, code: 404, when: 'it does not' },
    ask: (api) => api.ask('GET', 'entities/counter/nobody'),
  },
  {
    ...{ endpoint: ENTITIES, code: 200, when: 'always: one page, with the token of the next' },
    ask: async (api) => {
      await api.counter('c', 1);
      return api.ask('GET', 'entities/counter?fetchState=true');
    },
    check: ({ body }) => {
      const [first] = body as readonly { readonly entityId: { readonly name: string } }[];
      assert.equal(first?.entityId.name, 'counter');
    },
  },
  {
    ...{ endpoint: ENTITIES, code: 400, when: 'a time or count is none' },
    ask: (api) => api.ask('GET', 'entities?top=none'),
  },
  {
    ...{ endpoint: `DELETE ${ENTITY}`, code: 202, when: 'its operation `delete` was signalled' },
    ask: async (api) => {
      await api.counter('d', 1);
      return api.ask('DELETE', 'entities/counter/d');
    },
  },
];

const ANY = 'any other verb or path';
const others: HttpApiRow[] = [
  'GET orchestrators/helloCities',
  'POST instances',
  'POST makeprimary',
].map((request) => {
  const [method = '', path = ''] = request.split(' ');
  return {
    ...{ endpoint: ANY, code: 404, when: `for example \`${method} /${path}\`` },
    ask: (api: HttpApi) => api.ask(method, path),
  };
});

/** The durable HTTP API, answer by answer; docs/HTTP-API.md is made of it. */
export const HTTP_API_ROWS: readonly HttpApiRow[] = [
  ...starting,
  ...reading,
  ...raising,
  ...commands,
  ...revival,
  ...purging,
  ...entities,
  ...others,
];
