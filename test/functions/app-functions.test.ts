import assert from 'node:assert/strict';
import { unknownText } from '../../src/functions/app-functions.ts';
import { EntityId } from '../../src/index.ts';
import { TestHub } from '../../src/testing/index.ts';

describe('the failure of a function that the app does not have', () => {
  it('names those that there are, as Durable Functions does', () => {
    assert.equal(
      unknownText('activity', 'x', ['a', 'b', 'BuiltIn__HttpActivity']),
      "The function 'x' doesn't exist, is disabled, or is not an activity function. Additional info: " +
        "The following are the known activity functions: 'a', 'b'.",
    );
  });

  it('reaches its caller, of whatever kind it is', async () => {
    const hub = await TestHub.open({
      orchestrators: {
        *calls({ df: context }) {
          const texts: string[] = [];
          const calls = [
            () => context.callActivity('x'),
            () => context.callSubOrchestrator('x'),
            () => context.callEntity(new EntityId('x', 'a'), 'get'),
          ];
          for (const call of calls) {
            try {
              yield call();
            } catch (error) {
              texts.push((error as Error).message);
            }
          }
          return texts;
        },
      },
      entities: { counter: () => undefined },
    });

    const { output } = await hub.run('calls');
    await hub.close();

    const unknown = (kind: string): string =>
      `'x' doesn't exist, is disabled, or is not an ${kind}`;
    const found = (output as string[]).map((text) => /'x' .* is not an \w+/.exec(text)?.[0]);
    assert.deepEqual(found, ['activity', 'orchestrator', 'entity'].map(unknown));
  });

  it('says when there are none', () => {
    assert.equal(
      unknownText('orchestrator', 'x', []),
      "The function 'x' doesn't exist, is disabled, or is not an orchestrator function. Additional info: " +
        'No orchestrator functions are currently registered!',
    );
  });
});
