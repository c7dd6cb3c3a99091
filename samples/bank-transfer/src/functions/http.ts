import type { HttpHandler } from '@azure/functions';
import { app } from '@azure/functions';
import * as df from 'durable-functions';

const extraInputs = [df.input.durableClient()];

/** Starts `Transfer` or `Audit`; the JSON body is the input. */
const startOrchestration: HttpHandler = async (request, context) => {
  const client = df.getClient(context);
  const input: unknown = await request.json();
  const instanceId = await client.startNew(request.params.orchestratorName, { input });
  return client.createCheckStatusResponse(request, instanceId);
};
app.http('HttpStart', {
  route: 'orchestrators/{orchestratorName}',
  methods: ['POST'],
  extraInputs,
  handler: startOrchestration,
});

/** Signals a deposit: the answer does not wait for it. */
const deposit: HttpHandler = async (request, context) => {
  const account = new df.EntityId('Account', request.params.account);
  const amount = Number(await request.text());
  if (!Number.isFinite(amount) || amount <= 0)
    return { status: 400, body: 'The body is the amount.' };
  await df.getClient(context).signalEntity(account, 'deposit', amount);
  return { status: 202 };
};
app.http('Deposit', {
  route: 'accounts/{account}/deposit',
  methods: ['POST'],
  extraInputs,
  handler: deposit,
});

/** Reads a balance without waiting for whoever works on the account. */
const balance: HttpHandler = async (request, context) => {
  const account = new df.EntityId('Account', request.params.account);
  const state = await df.getClient(context).readEntityState<number>(account);
  return state.entityExists ? { jsonBody: state.entityState } : { status: 404 };
};
app.http('Balance', {
  route: 'accounts/{account}',
  methods: ['GET'],
  extraInputs,
  handler: balance,
});
