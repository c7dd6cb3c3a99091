// The first file of the app, as its `main` has it: nothing durable has been loaded before it.
const { app } = require('@azure/functions');

app.setup({ enableHttpStream: true });

// What hooks saw, in order: `before name`, `after name`.
const seen = [];

app.hook.preInvocation((context) => {
  const { functionName } = context.invocationContext;
  context.hookData.name = functionName;
  if (functionName === 'greet') {
    context.inputs = [`${context.inputs[0]}!`];
    const { functionHandler } = context;
    context.functionHandler = async (...args) => `<${await functionHandler(...args)}>`;
  }
  seen.push(`before ${functionName}`);
});

app.hook.postInvocation((context) => {
  seen.push(`after ${context.hookData.name}`);
  if (context.hookData.name === 'fails') {
    context.result = `made good: ${context.error.message}`;
    context.error = null;
  }
});

module.exports = { seen };
