import assert from 'node:assert/strict';
import type { RegisteredFunction } from '../../src/devhost/core-module.ts';
import type { BindingInfo } from '../../src/devhost/core-types.ts';
import { indexFunctions } from '../../src/devhost/function-index.ts';
import { formatListing, listFunction } from '../../src/devhost/function-listing.ts';

function registered(name: string, ...bindings: BindingInfo[]): RegisteredFunction {
  const named = Object.fromEntries(bindings.map((each, index) => [`b${index}`, each]));
  const metadata = { name, bindings: named };
  return { id: name, metadata, callback: () => undefined, scriptFile: 'index.js' };
}

const HTTP: BindingInfo = { type: 'httpTrigger', direction: 'in' };
const MANUAL: BindingInfo = { type: 'manualTrigger', direction: 'in' };

function errorOf(fn: RegisteredFunction, env: Record<string, string> = {}): string | undefined {
  return indexFunctions([fn], { env, hasBundle: false })[0]?.error;
}

describe('function index', () => {
  it('names all binding types that it does not know, once each', () => {
    const queue = { type: 'queueTrigger' };
    const fn = registered('f', queue, { type: 'blob' }, { type: 'blob' }, { type: 'http' });
    assert.match(
      errorOf(fn) ?? '',
      /^The binding type\(s\) 'queueTrigger, blob' are not registered/,
    );
  });

  it('knows the types of other services once there is an extension bundle, but no durable ones', () => {
    const index = (type: string): string | undefined =>
      indexFunctions([registered('f', { type }, { type: 'blob' })], { env: {}, hasBundle: true })[0]
        ?.error;

    const types = ['queueTrigger', 'serviceBusTrigger', 'eventGridTrigger', 'cosmosDBTrigger'];
    assert.deepEqual(types.map(index), [undefined, undefined, undefined, undefined]);
    assert.equal(
      index('activityTrigger'),
      "The binding type(s) 'activityTrigger' were not found in the configured extension bundle. " +
        'Please ensure the type is correct and the correct version of extension bundle is configured.',
    );
  });

  it('says which functions it knows and does not serve', () => {
    const fn = registered('onMessage', { type: 'queueTrigger' }, { type: 'blob' });
    const [indexed] = indexFunctions([fn], { env: {}, hasBundle: true });
    assert.ok(indexed !== undefined);

    const listing = listFunction(indexed, { baseUrl: 'http://localhost:7071', prefix: 'api' });

    assert.equal(
      formatListing([listing]).at(-1),
      "The 'onMessage' function has bindings that this host does not serve (queueTrigger, blob): run " +
        'it with POST /admin/functions/onMessage; what it writes to them is dropped.',
    );
  });

  it('knows warm-up and manual triggers, whatever the case', () => {
    assert.equal(errorOf(registered('f', { type: 'WarmupTrigger' })), undefined);
    assert.equal(errorOf(registered('g', { type: 'MANUALTRIGGER' })), undefined);
  });

  it('wants exactly one trigger', () => {
    assert.match(errorOf(registered('f', { type: 'http' })) ?? '', /^No trigger binding specified/);
    assert.match(
      errorOf(registered('f', HTTP, MANUAL)) ?? '',
      /^Multiple trigger bindings defined/,
    );
  });

  it('wants a name that the host takes, of which no other differs by case only', () => {
    assert.match(errorOf(registered('1st', HTTP)) ?? '', /'1st' is not a valid function name/);
    const [, second] = indexFunctions([registered('f', HTTP), registered('F', MANUAL)], {
      ...{ env: {}, hasBundle: false },
    });
    assert.match(second?.error ?? '', /'F' is used by another function/);
  });

  it('refuses routes under admin and runtime, not those that merely begin like them', () => {
    const withRoute = (route: string): RegisteredFunction => registered('f', { ...HTTP, route });
    for (const route of ['admin', 'admin/x', '/Runtime/webhooks/x']) {
      assert.match(errorOf(withRoute(route)) ?? '', /conflicts with one or more built in routes/);
    }
    assert.equal(errorOf(withRoute('administrators')), undefined);
  });

  it('replaces app settings in a route', () => {
    const fn = registered('f', { ...HTTP, route: 'a/%PART%' });
    const [indexed] = indexFunctions([fn], { env: { PART: 'b' }, hasBundle: false });
    assert.ok(indexed?.trigger?.kind === 'http');
    assert.equal(indexed.trigger.route.text, 'a/b');
    assert.match(errorOf(fn) ?? '', /'%PART%' does not resolve to a value/);
  });

  it('lets functions share a route when their methods differ', () => {
    const fn = (name: string, method: string): RegisteredFunction =>
      registered(name, { ...HTTP, route: 'x/{id}', methods: [method] });
    const indexed = indexFunctions([fn('a', 'get'), fn('b', 'POST'), fn('c', 'GET')], {
      ...{ env: {}, hasBundle: false },
    });
    assert.deepEqual(
      indexed.map(({ error }) => error),
      [
        undefined,
        undefined,
        "The route specified conflicts with the route defined by function 'a'.",
      ],
    );
  });
});

describe('function listing', () => {
  const lines = (fns: readonly RegisteredFunction[], env: Record<string, string> = {}): string =>
    formatListing(
      indexFunctions(fns, { env, hasBundle: false }).map((fn) =>
        listFunction(fn, { baseUrl: 'http://localhost:7071', prefix: 'api' }),
      ),
    ).join('\n');

  it('is that of func start: URLs of HTTP functions, triggers of others, then errors', () => {
    const http = registered('hello', { ...HTTP, methods: ['GET'], route: 'hi/{name}' });
    const text = lines([
      registered('bad', { type: 'queueTrigger' }),
      http,
      registered('m', MANUAL),
    ]);
    assert.equal(
      text,
      '\nFunctions:\n\n' +
        '\thello: [GET] http://localhost:7071/api/hi/{name}\n\n' +
        '\tm: manualTrigger\n\n' +
        "The 'bad' function is in error: The binding type(s) 'queueTrigger' are not registered. " +
        'Please ensure the type is correct and the binding extension is installed.',
    );
  });

  it('says when nothing is served, and what is disabled', () => {
    assert.equal(lines([]), 'No functions are served by this app.');
    const env = { AzureWebJobs_m_Disabled: '1' };
    assert.match(lines([registered('m', MANUAL)], env), /\tm: manualTrigger \(disabled\)/);
  });
});
