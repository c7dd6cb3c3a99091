/**
 * Unit and contract tests on the oldest supported Node. npm brings it: the machine's own Node may be any.
 * End-to-end tests run on the current one only (docs/ARCHITECTURE.md, Proof), and so does the contract on PostgreSQL:
 * its driver is plain JavaScript, while SQLite's is a part of Node.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const ROOMS = ['base', 'core', 'wire', 'replay', 'storage', 'contract', 'config', 'telemetry'];
const ON_POSTGRES = [
  'postgres',
  'postgres-upgrade',
  'postgres-nodes',
  'two-stores.contract',
  'crowd.contract',
];

// From another folder: inside this one npm would put its own `node` (24) first on the PATH.
const found = spawnSync(
  'npm',
  ['exec', '--yes', '--package=node@22', '--', 'node', '-p', 'process.execPath'],
  { cwd: '/', encoding: 'utf8' },
);
const node22 = found.stdout.trim();
if (found.status !== 0 || node22 === '') {
  process.stderr.write(
    `Node 22 could not be had from the npm registry: ${found.stderr.trim()}\n` +
      'Check the network, or run the other steps by name: node scripts/check.ts format lint …\n',
  );
  process.exit(1);
}
// Where every user may run it: some tests run as another user than the one whose cache it is in.
const binary = `${root}.tmp/node-22/node`;
mkdirSync(`${root}.tmp/node-22`, { recursive: true });
copyFileSync(node22, binary);
process.stdout.write(`running on ${node22}\n`);
const result = spawnSync(
  binary,
  [
    '--disable-warning=ExperimentalWarning',
    `${root}/node_modules/mocha/bin/mocha.js`,
    '--timeout',
    '20000',
    ...ON_POSTGRES.flatMap((name) => ['--exclude', `test/contract/${name}.test.ts`]),
    ...ROOMS.map((room) => `test/${room}/**/*.test.ts`),
  ],
  { cwd: root, stdio: 'inherit' },
);
process.exit(result.status ?? 1);
