const df = require('durable-functions');

/** Called once for each operation, one after the other; the state is a number. */
df.app.entity('Counter', (context) => {
  const value = context.df.getState(() => 0);
  switch (context.df.operationName) {
    case 'add':
      context.df.setState(value + context.df.getInput());
      break;
    case 'reset':
      context.df.destructOnExit();
      break;
    case 'get':
      context.df.return(value);
      break;
  }
});

/** Adds, then reads: a call waits for the operation, and for those that were signalled before it. */
df.app.orchestration('AddAndGet', function* (context) {
  const { key, amount } = context.df.getInput();
  const counter = new df.EntityId('Counter', key);
  context.df.signalEntity(counter, 'add', amount);
  return yield context.df.callEntity(counter, 'get');
});
