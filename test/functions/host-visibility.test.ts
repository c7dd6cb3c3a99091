import assert from 'node:assert/strict';
import { isShownInHost } from '../../src/functions/host-visibility.ts';

describe('isShownInHost', () => {
  it('lists durable functions unless an app setting says off', () => {
    const texts = [undefined, '', 'on', 'OFF'];

    assert.deepEqual(
      texts.map((text) => isShownInHost({ DURABLETASK_SHOW_FUNCTIONS: text })),
      [true, true, true, false],
    );
  });

  it('refuses any other text', () => {
    assert.throws(() => isShownInHost({ DURABLETASK_SHOW_FUNCTIONS: 'maybe' }), {
      message: 'DURABLETASK_SHOW_FUNCTIONS must be "on" or "off".',
    });
  });
});
