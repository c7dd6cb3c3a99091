/** Opens the store that is named on the command line, says so, and holds it until it is killed. */
import { systemClock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import { openStore } from '../../src/storage/open-store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

const [storage = ''] = process.argv.slice(2);
try {
  await openStore({ storage, logger: silentLogger, clock: systemClock, ids: systemIds });
  process.stdout.write('open\n');
  setInterval(() => undefined, 60_000);
} catch (error) {
  process.stdout.write(`${(error as Error).message}\n`);
}
