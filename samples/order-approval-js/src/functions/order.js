const df = require('durable-functions');

/** Orders up to this total need nobody's approval. */
const APPROVAL_FREE_TOTAL = 100;

/**
 * Takes an order `{ item, quantity, price, failures? }`: approval if it is a large one, then the
 * payment as a sub-orchestration. The manager decides with the external event `ManagerDecision`,
 * `{ approved, by }`.
 */
df.app.orchestration('ProcessOrder', function* (context) {
  const order = context.df.getInput();
  const total = order.quantity * order.price;

  if (total > APPROVAL_FREE_TOTAL) {
    context.df.setCustomStatus({ waitingFor: 'ManagerDecision', total });
    const decision = yield context.df.waitForExternalEvent('ManagerDecision');
    if (!decision.approved) return { item: order.item, outcome: `refused by ${decision.by}` };
  }

  context.df.setCustomStatus({ waitingFor: 'payment', total });
  const payment = yield context.df.callSubOrchestrator(
    'CollectPayment',
    { total, failures: order.failures ?? 0 },
    `${context.df.instanceId}-payment`,
  );
  context.df.setCustomStatus({ paid: total });
  return { item: order.item, outcome: 'shipped', ...payment };
});
