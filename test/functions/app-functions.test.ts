import assert from 'node:assert/strict';
import { unknownText } from '../../src/functions/app-functions.ts';

describe('the failure of a function that the app does not have', () => {
  it('names those that there are, as Durable Functions does', () => {
    assert.equal(
      unknownText('activity', 'x', ['a', 'b', 'BuiltIn__HttpActivity']),
      "The function 'x' doesn't exist, is disabled, or is not an activity function. Additional info: " +
        "The following are the known activity functions: 'a', 'b'.",
    );
  });

  it('says when there are none', () => {
    assert.equal(
      unknownText('orchestrator', 'x', []),
      "The function 'x' doesn't exist, is disabled, or is not an orchestrator function. Additional info: " +
        'No orchestrator functions are currently registered!',
    );
  });
});
