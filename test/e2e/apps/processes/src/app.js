const df = require('durable-functions');
const { app } = require('@azure/functions');

const after = (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value));

df.app.activity('whoRuns', { handler: () => after(30, process.pid) });
df.app.activity('takesForever', {
  handler: (_input, context) => {
    context.log(`begun by ${process.env.ROLE}`);
    return process.env.ROLE === 'first' ? after(600_000) : process.env.ROLE;
  },
});

df.app.orchestration('fansOut', function* (context) {
  const pids = Array.from({ length: 12 }, () => context.df.callActivity('whoRuns'));
  return [...new Set(yield context.df.Task.all(pids))];
});
df.app.orchestration('isHandedOver', function* (context) {
  return yield context.df.callActivity('takesForever');
});
df.app.orchestration('callsTheCopy', function* (context) {
  return yield context.df.callActivity('fromTheCopy', 'us');
});

// A second copy of the package, as two versions in node_modules would be.
if (process.env.SECOND_COPY) {
  app.hook.appStart(async () => {
    const copy = await import(process.env.SECOND_COPY);
    if (copy.app === df.app) throw new Error('this is no second copy');
    copy.app.activity('fromTheCopy', { handler: (who) => `hello from another to ${who}` });
  });
}
