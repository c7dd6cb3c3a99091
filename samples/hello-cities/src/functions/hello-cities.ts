import type { ActivityHandler, OrchestrationHandler } from 'durable-functions';
import * as df from 'durable-functions';

/** Function chaining: each activity starts when the one before it has ended. */
const helloCities: OrchestrationHandler = function* (context) {
  const greetings: string[] = [];
  for (const city of ['Tokyo', 'Seattle', 'London']) {
    greetings.push(yield context.df.callActivity('SayHello', city));
  }
  return greetings;
};
df.app.orchestration('HelloCities', helloCities);

const sayHello: ActivityHandler = (city: string): string => `Hello ${city}!`;
df.app.activity('SayHello', { handler: sayHello });
