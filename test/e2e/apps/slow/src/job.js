const df = require('durable-functions');

df.app.orchestration('job', function* (context) {
  yield context.df.callActivity('work');
});

/** Longer than a test needs, and no reason to wait for its end. */
df.app.activity('work', {
  handler: () => new Promise((resolve) => setTimeout(resolve, 20_000).unref()),
});
