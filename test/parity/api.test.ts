import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type * as real from 'durable-functions';
import { TaskHubClient } from '../../src/client/task-hub-client.ts';
import * as ours from '../../src/index.ts';
import { runEntity } from '../../src/testing/index.ts';
import { classic, live } from '../replay/support/orchestrators.ts';
import { executionStarted } from '../replay/support/events.ts';
import { ALLOWED_API_DIFFERENCES } from './allowed-differences.ts';

const require = createRequire(import.meta.url);
const theirs = require('durable-functions') as typeof real;
const part = (file: string, name: string): unknown =>
  (require(`durable-functions/lib/src/${file}.js`) as Record<string, unknown>)[name];

/** Classes that 3.5.0 declares and exports as `undefined`, from where they are. */
const DECLARED_ONLY: Readonly<Record<string, unknown>> = {
  AggregatedError: part('error/AggregatedError', 'AggregatedError'),
  DurableClient: part('durableClient/DurableClient', 'DurableClient'),
  DurableError: part('error/DurableError', 'DurableError'),
  DurableOrchestrationContext: part(
    'orchestrations/DurableOrchestrationContext',
    'DurableOrchestrationContext',
  ),
  DurableOrchestrationStatus: part(
    'orchestrations/DurableOrchestrationStatus',
    'DurableOrchestrationStatus',
  ),
  HttpManagementPayload: part('http/HttpManagementPayload', 'HttpManagementPayload'),
  PurgeHistoryResult: part('durableClient/PurgeHistoryResult', 'PurgeHistoryResult'),
};
const THEIRS: Readonly<Record<string, unknown>> = { ...theirs, ...DECLARED_ONLY };
const OURS: Readonly<Record<string, unknown>> = ours;
const ALLOWED = ALLOWED_API_DIFFERENCES.flatMap(({ members = [] }) => members);

/** Names that can be read on a value, own and inherited, without those that every object has. */
function membersOf(value: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  let at: unknown = value;
  while (at !== null && at !== undefined && at !== Object.prototype && at !== Function.prototype) {
    for (const key of Reflect.ownKeys(at)) names.add(String(key));
    at = Object.getPrototypeOf(at) as unknown;
  }
  for (const name of ['length', 'name', 'prototype', 'constructor', 'stack']) names.delete(name);
  return names;
}

/** Their public members that ours lack. Names with an underscore are their own business. */
function missing(owner: string, their: unknown, our: unknown): readonly string[] {
  const known = membersOf(our);
  return [...membersOf(their)]
    .filter((name) => !name.startsWith('_') && !known.has(name))
    .map((name) => `${owner}.${name}`)
    .filter((name) => !ALLOWED.includes(name));
}

function client(): ours.DurableClient {
  return new ours.DurableClient({
    taskHubName: 'default',
    client: TaskHubClient.open('Endpoint=http://127.0.0.1:1;TaskHub=default;Authentication=None'),
    linksFor: (instanceId) => ({ ...LINKS, id: instanceId }),
    openOther: () => TaskHubClient.open('Endpoint=http://a;TaskHub=b;Authentication=None'),
    mayReplaceRunning: false,
  });
}
const URL_TEXT = 'http://localhost/x';
const LINKS = {
  statusQueryGetUri: URL_TEXT,
  sendEventPostUri: URL_TEXT,
  terminatePostUri: URL_TEXT,
  rewindPostUri: URL_TEXT,
  purgeHistoryDeleteUri: URL_TEXT,
  restartPostUri: URL_TEXT,
  suspendPostUri: URL_TEXT,
  resumePostUri: URL_TEXT,
};

describe('the API of durable-functions', () => {
  const classes = Object.entries(THEIRS).filter(
    ([, value]) => typeof value === 'function' && 'prototype' in value,
  );

  it('is exported name by name, as values of the same kind', () => {
    const different = Object.entries(THEIRS).filter(
      ([name, value]) => typeof value !== typeof OURS[name],
    );

    assert.deepEqual(
      different.map(([name]) => name),
      [],
    );
  });

  it('has every static member and every method of every class', () => {
    // Made by hand below: what it has of its own counts, too.
    const others = classes.filter(([name]) => name !== 'DurableClient');

    const lacking = others.flatMap(([name, their]) => {
      const our = OURS[name];
      return [
        ...missing(name, their, our),
        ...missing(name, prototypeOf(their), { ...ownOf(our), ...proto(our) }),
      ];
    });

    assert.deepEqual(lacking, []);
  });

  it('has every property of what its constructors make', () => {
    const made: readonly [string, (df: typeof real) => unknown][] = [
      ['EntityId', (df) => new df.EntityId('a', 'b')],
      ['EntityStateResponse', (df) => new df.EntityStateResponse(true, 1)],
      ['LockState', (df) => new df.LockState(true, [])],
      ['LockingRulesViolationError', (df) => new df.LockingRulesViolationError('a')],
      ['ManagedIdentityTokenSource', (df) => new df.ManagedIdentityTokenSource('a')],
      ['RetryOptions', (df) => new df.RetryOptions(1, 2)],
      ['TaskFailedError', (df) => new df.TaskFailedError(FAILURE)],
      ['DummyOrchestrationContext', (df) => new df.DummyOrchestrationContext()],
      ['DummyEntityContext', (df) => new df.DummyEntityContext()],
      ['app', (df) => df.app],
      ['app.client', (df) => df.app.client],
      ['trigger', (df) => df.trigger],
      ['input', (df) => df.input],
      ['OrchestrationRuntimeStatus', (df) => df.OrchestrationRuntimeStatus],
    ];

    const lacking = made.flatMap(([name, make]) =>
      missing(name, make(theirs), make(ours as unknown as typeof real)),
    );

    assert.deepEqual(lacking, []);
  });

  it('has every property of a client', () => {
    const Their = DECLARED_ONLY['DurableClient'] as new (data: object, webhooks: object) => object;
    const urls = { managementUrls: LINKS, creationUrls: LINKS, taskHubName: 'a' };
    const their = new Their(urls, {});

    assert.deepEqual(missing('DurableClient', their, client()), []);
  });

  it('has every property of the context of an orchestrator and of its tasks', () => {
    const lacking: string[] = [];
    const session = classic(function* ({ df }): Generator {
      const tasks = THEIR_CONTEXT.make(df);
      lacking.push(...missing('DurableOrchestrationContext', THEIR_CONTEXT.context, df));
      for (const [name, task] of Object.entries(tasks)) {
        lacking.push(...['isCompleted', 'isFaulted', 'result'].filter((key) => !(key in task)));
        assert.equal(task.isCompleted, false, name);
      }
      assert.equal('cancel' in tasks.timer && 'isCanceled' in tasks.timer, true);
      yield tasks.all;
    });

    live(session, executionStarted());

    assert.deepEqual(lacking, []);
  });

  it('has every property of the context of an entity', async () => {
    const { Entity } = require('durable-functions/lib/src/entities/Entity.js') as {
      Entity: new (handler: (context: EntityContext) => void) => {
        handle(trigger: object, context: object): Promise<unknown>;
      };
    };
    const seen: unknown[] = [];
    const look = (context: EntityContext): void => {
      seen.push(context.df);
    };
    const operations = [{ id: '1', name: 'look', signal: false, input: '1' }];
    const batch = { self: { name: 'a', key: 'b' }, exists: false, state: '', batch: operations };
    await new Entity(look).handle(batch, {});
    await runEntity(look, { operations: [{ name: 'look' }] });

    const [their, our] = seen;

    assert.deepEqual([seen.length, missing('DurableEntityContext', their, our)], [2, []]);
  });

  it('has methods that take as many arguments', () => {
    const Their = DECLARED_ONLY['DurableClient'] as { prototype: Record<string, unknown> };
    const our = client() as unknown as Record<string, unknown>;
    const fewer = Object.getOwnPropertyNames(Their.prototype)
      .filter((name) => name in our && name !== 'constructor')
      .filter((name) => arity(our[name]) > arity(Their.prototype[name]));

    assert.deepEqual(fewer, []);
  });
});

interface EntityContext {
  readonly df: unknown;
}

const FAILURE: real.FailureDetails = {
  errorType: 'Error',
  errorMessage: 'a',
  isNonRetriable: false,
  isCausedBy: () => false,
};

const TheirContext = DECLARED_ONLY['DurableOrchestrationContext'] as new (
  ...args: unknown[]
) => real.DurableOrchestrationContext;
const THEIR_CONTEXT = {
  context: new TheirContext([], 'id', new Date(), false, undefined, '', '', 1, 3, null, {}),
  make: (df: {
    createTimer(at: Date): real.TimerTask;
    callActivity(name: string): real.Task;
    Task: { all(tasks: readonly never[]): real.Task };
  }) => {
    const activity = df.callActivity('a');
    const timer = df.createTimer(new Date());
    return { activity, timer, all: df.Task.all([activity, timer] as never[]) };
  },
};

function prototypeOf(value: unknown): unknown {
  return (value as { readonly prototype: unknown }).prototype;
}

/** The members of a class's prototype chain, to be looked up by name. */
function proto(value: unknown): object {
  const names = membersOf(prototypeOf(value));
  return Object.fromEntries([...names].map((name) => [name, true]));
}

function ownOf(value: unknown): object {
  return Object.fromEntries([...membersOf(value)].map((name) => [name, true]));
}

function arity(value: unknown): number {
  return typeof value === 'function' ? value.length : Infinity;
}
