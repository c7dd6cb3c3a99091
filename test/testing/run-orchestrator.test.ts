import assert from 'node:assert/strict';
import type { OrchestrationContext, Task } from 'durable-functions';
import { runOrchestrator } from '../../src/testing/index.ts';

type Classic = Generator<Task, unknown, never>;

describe('runOrchestrator', () => {
  it('runs a generator with stand-ins for its activities', async () => {
    const { runtimeStatus, output, customStatus } = await runOrchestrator(
      function* greetAll(context: OrchestrationContext): Classic {
        const cities: string[] = context.df.getInput();
        context.df.setCustomStatus(cities.length);
        return yield context.df.Task.all(cities.map((city) => context.df.callActivity('hi', city)));
      },
      { input: ['Tokyo', 'London'], activities: { hi: (city: string) => `Hi ${city}` } },
    );

    assert.deepEqual(
      [runtimeStatus, output, customStatus],
      ['Completed', ['Hi Tokyo', 'Hi London'], 2],
    );
  });

  it('runs sub-orchestrations, retries, timers and an arrow function', async () => {
    const parent = (context: OrchestrationContext): Classic =>
      (function* () {
        yield context.df.createTimer(new Date(context.df.currentUtcDateTime.getTime() + 1e9));
        return yield context.df.callSubOrchestrator('child', 20);
      })();

    const { output } = await runOrchestrator(parent, {
      orchestrators: { child: (_context, n: number) => n + 1 },
    });

    assert.equal(output, 21);
  });

  it('hands over the events that it is given', async () => {
    const { output } = await runOrchestrator(
      function* (context: OrchestrationContext): Classic {
        const first: string = yield context.df.waitForExternalEvent('go');
        const second: string = yield context.df.waitForExternalEvent('go');
        return [first, second];
      },
      {
        events: [
          { name: 'go', data: 'a' },
          { name: 'go', data: 'b' },
        ],
      },
    );

    assert.deepEqual(output, ['a', 'b']);
  });

  it('tells of a throw as a failure', async () => {
    const { runtimeStatus, failure } = await runOrchestrator(function () {
      throw new RangeError('too far');
    });

    assert.deepEqual(
      [runtimeStatus, failure?.errorType, failure?.message],
      ['Failed', 'RangeError', 'too far'],
    );
  });
});
