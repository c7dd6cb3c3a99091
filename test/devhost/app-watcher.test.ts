import assert from 'node:assert/strict';
import { systemClock } from '../../src/base/clock.ts';
import { watchApp } from '../../src/devhost/app-watcher.ts';
import { Lines, TempApp } from './test-app.ts';

describe('app watcher', function () {
  this.timeout(20_000);

  it('tells once of a burst of changes of code, also in new folders, not of data nor packages', async () => {
    const app = new TempApp({ 'index.js': '', 'node_modules/a/index.js': '' });
    const changes = new Lines();
    let count = 0;
    const watcher = watchApp(app.dir, {
      clock: systemClock,
      onChange: () => changes.add(`change ${++count}`),
      onError: (dir, error) => assert.fail(`${dir}: ${String(error)}`),
    });
    app.write('data.db', 'x');
    app.write('node_modules/a/index.js', 'changed');
    app.write('new/folder/one.js', 'x');
    app.write('new/folder/two.js', 'x');
    await changes.next(/^change 1$/);
    assert.equal(changes.text, 'change 1');

    app.write('new/folder/one.js', 'y');
    await changes.next(/^change 2$/);
    await watcher.close();
    app.remove();
  });
});
