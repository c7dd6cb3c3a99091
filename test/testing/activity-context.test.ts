import assert from 'node:assert/strict';
import type { InvocationContext } from '@azure/functions';
import { createActivityContext, TestHub } from '../../src/testing/index.ts';

function describeContext(context: InvocationContext): unknown {
  const { functionName, triggerMetadata, options } = context;
  return { functionName, triggerMetadata, options };
}

describe('the context of an activity that is called by hand', () => {
  it('is what the activity has in a hub', async () => {
    const hub = await TestHub.open({
      orchestrators: {
        *asks(context) {
          return (yield context.df.callActivity('describe')) as unknown;
        },
      },
      activities: { describe: (_input: unknown, context) => describeContext(context) },
    });
    const { output } = await hub.run('asks', undefined, { instanceId: 'abc' });
    await hub.close();

    const context = createActivityContext('describe', { instanceId: 'abc' });

    // As JSON, which is how the activity gave it.
    assert.deepEqual(JSON.parse(JSON.stringify(describeContext(context))), output);
  });

  it('belongs to the trace that it is told', () => {
    const traceParent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

    const { traceContext } = createActivityContext('describe', { traceParent });

    assert.equal(traceContext?.traceParent, traceParent);
  });
});
