import * as df from 'durable-functions';

df.app.orchestration('waitsForApproval', function* (context) {
  context.df.setCustomStatus('waiting');
  const deadline = new Date(context.df.currentUtcDateTime.getTime() + 60 * 1000);
  const timeout = context.df.createTimer(deadline);
  const approval = context.df.waitForExternalEvent('Approval');
  const winner = yield context.df.Task.any([approval, timeout]);
  if (winner !== approval) return 'timed out';
  timeout.cancel();
  return { approved: approval.result };
});

const seen = new Set();
const failsOnce = df.app.activity('failsOnce', {
  handler: (_input, { triggerMetadata: { instanceId } }) => {
    if (seen.has(instanceId)) return 'second time lucky';
    seen.add(instanceId);
    throw new Error('first time unlucky');
  },
});

df.app.orchestration('worksTheSecondTime', function* () {
  return yield failsOnce();
});
