const { app } = require('@azure/functions');
const df = require('durable-functions');

app.generic('genericOrchestration', {
  trigger: df.trigger.orchestration(),
  handler: function* (context) {
    return yield context.df.callActivity('genericActivity', context.df.getInput());
  },
});

app.generic('genericActivity', {
  trigger: df.trigger.activity(),
  extraInputs: [df.input.durableClient()],
  handler: async (input, context) => [input, df.getClient(context).taskHubName],
});
