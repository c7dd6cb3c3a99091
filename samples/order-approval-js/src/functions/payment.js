const df = require('durable-functions');

/** A sub-orchestration: charges with up to four attempts, and says so when all of them failed. */
df.app.orchestration('CollectPayment', function* (context) {
  const { total, failures } = context.df.getInput();
  const retry = new df.RetryOptions(100, 4);
  retry.backoffCoefficient = 2;
  const orderId = context.df.instanceId;
  try {
    const receipt = yield context.df.callActivityWithRetry('ChargeCard', retry, {
      orderId,
      total,
      failures,
    });
    return { receipt };
  } catch (error) {
    context.log(`Payment ${orderId} failed: ${error.message}`);
    return { outcome: 'payment failed' };
  }
});

/** Attempts per order. A real payment service would remember them; this sample pretends to be one. */
const attempts = new Map();

/** Refuses the first `failures` attempts of an order, as a service with bad days would. */
df.app.activity('ChargeCard', {
  handler: ({ orderId, total, failures }, context) => {
    const attempt = (attempts.get(orderId) ?? 0) + 1;
    attempts.set(orderId, attempt);
    if (attempt <= failures) throw new Error(`the card service is busy (attempt ${attempt})`);
    context.log(`Charged ${total} for ${orderId}.`);
    return { total, attempts: attempt };
  },
});
