const df = require('durable-functions');

df.app.entity('counter', (context) => {
  const count = context.df.getState(() => 0);
  switch (context.df.operationName) {
    case 'add':
      context.df.setState(count + context.df.getInput());
      break;
    case 'get':
      context.df.return(count);
      break;
    case 'delete':
      context.df.destructOnExit();
      break;
  }
});
