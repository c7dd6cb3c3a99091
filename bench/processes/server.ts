/** The scheduler of a benchmark: `node server.ts <storage>`. */
import { openScheduler } from '../../src/server/index.ts';
import { serveParent } from '../support/child-side.ts';

const [storage = 'memory'] = process.argv.slice(2);
const ports = { grpcPort: 0, httpPort: 0 } as const;
const scheduler = await openScheduler({ storage, ...ports, logLevel: 'warn' });
const { grpcEndpoint: endpoint, httpEndpoint } = scheduler;
serveParent({ endpoint, httpEndpoint, close: () => scheduler.close() });
