const df = require('durable-functions');

const seen = new Set();

df.app.activity('failsOnce', {
  handler: (_input, context) => {
    const { instanceId } = context.triggerMetadata;
    if (seen.has(instanceId)) return 'second time lucky';
    seen.add(instanceId);
    throw new Error('first time unlucky');
  },
});

df.app.orchestration('worksTheSecondTime', function* (context) {
  return yield context.df.callActivity('failsOnce');
});

df.app.orchestration('waitsForNothing', function* (context) {
  yield context.df.createTimer(context.df.currentUtcDateTime);
  return 'done';
});
