/** Starting and stopping one PostgreSQL server. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { findPostgres } from './postgres-binaries.ts';

const run = promisify(execFile);

export interface PostgresServerOptions {
  /** False: commits are not forced to disk, for tests that crash nothing. */
  readonly fsync: boolean;
  /** Further settings, `name: value`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** PostgreSQL refuses to run as root: then it runs as this user. */
const ORDINARY_USER = 'nobody';
const START_TIMEOUT_MS = 30_000;
const LOG_CHARS_MAX = 10_000;

/**
 * Its standard input is a pipe from this process: when that closes, however this process ended, the server is stopped
 * at once and its folder removed. A server that ends by itself is started again when the file `again` asks for it.
 */
const GUARD = `
exec 3<&0
folder=$1
shift
over=
trap 'over=yes; kill -INT "$server" 2>/dev/null' TERM
(read -r _ <&3; kill -TERM $$) &
watcher=$!
while :; do
  "$@" 3<&- &
  server=$!
  [ -z "$over" ] || kill -INT "$server"
  while kill -0 "$server" 2>/dev/null; do wait "$server"; done
  if [ -n "$over" ] || ! rm "$folder/again" 2>/dev/null; then break; fi
done
kill "$watcher" 2>/dev/null
rm -rf "$folder"
`;

interface Identity {
  readonly uid: number;
  readonly gid: number;
}

export class PostgresServer {
  readonly url: string;
  readonly port: number;
  readonly #folder: string;
  readonly #process: ChildProcess;
  /** The first words of the server, for messages. */
  #log = '';

  private constructor(folder: string, port: number, process: ChildProcess) {
    this.#folder = folder;
    this.#process = process;
    this.port = port;
    this.url = `postgres://tester@127.0.0.1:${port}/postgres`;
    process.stderr?.on('data', (bytes: Buffer) => {
      if (this.#log.length < LOG_CHARS_MAX) this.#log += bytes.toString();
    });
  }

  /** Makes a new cluster in a temporary folder and waits until it takes connections. */
  static async start(options: PostgresServerOptions): Promise<PostgresServer> {
    const binaries = await findPostgres();
    const identity = await ordinaryUser();
    const folder = await mkdtemp(join(tmpdir(), 'postgres-'));
    if (identity) await chown(folder, identity.uid, identity.gid);
    await chmod(folder, 0o700);
    const data = join(folder, 'data');
    try {
      const initdb = ['-D', data, '-U', 'tester', '-A', 'trust', '-E', 'UTF8', '--no-locale', '-N'];
      await run(join(binaries, 'initdb'), initdb, { cwd: folder, ...identity });
      const port = await freePort();
      const command = [join(binaries, 'postgres'), '-D', data];
      const server = spawn(
        'sh',
        ['-c', GUARD, 'sh', folder, ...command, ...serverArguments(folder, port, options)],
        { cwd: '/', stdio: ['pipe', 'ignore', 'pipe'], ...identity },
      );
      const started = new PostgresServer(folder, port, server);
      await started.#ready();
      return started;
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  async #ready(): Promise<void> {
    const until = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      if (this.#process.exitCode !== null) throw new Error(`postgres did not start:\n${this.#log}`);
      const client = new Client({ connectionString: this.url });
      try {
        await client.connect();
        await client.end();
        return;
      } catch (error) {
        if (Date.now() > until) {
          await this.stop();
          throw new Error(`postgres takes no connections:\n${this.#log}`, { cause: error });
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** Immediate shutdown, which loses all that is not on disk, then a start on the same data and port. */
  async restart(): Promise<void> {
    const before = await this.#pid();
    await writeFile(join(this.#folder, 'again'), '');
    process.kill(before, 'SIGQUIT');
    const until = Date.now() + START_TIMEOUT_MS;
    // The file is missing, or still the old one, while the server is away.
    while ((await this.#pid().catch(() => before)) === before) {
      if (Date.now() > until) throw new Error(`postgres was not started again:\n${this.#log}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await this.#ready();
  }

  async #pid(): Promise<number> {
    const file = await readFile(join(this.#folder, 'data', 'postmaster.pid'), 'utf8');
    const pid = Number(file.split('\n')[0]);
    if (!(pid > 0)) throw new Error('postgres has written no process id yet');
    return pid;
  }

  /** Stops at once, as with a crash of all connections, and removes the data. */
  async stop(): Promise<void> {
    this.#process.stdin?.destroy();
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      await once(this.#process, 'exit');
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function serverArguments(
  folder: string,
  port: number,
  { fsync, settings = {} }: PostgresServerOptions,
): string[] {
  const all = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: folder,
    max_connections: '200',
    fsync: fsync ? 'on' : 'off',
    full_page_writes: fsync ? 'on' : 'off',
    deadlock_timeout: '200ms',
    autovacuum_naptime: '5s',
    ...settings,
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Of the processes that run here: none for an ordinary user, somebody else for root. */
async function ordinaryUser(): Promise<Identity | undefined> {
  if (userInfo().uid !== 0) return undefined;
  const passwd = await readFile('/etc/passwd', 'utf8');
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === ORDINARY_USER);
  if (!fields) {
    throw new Error(
      `tests run as root, PostgreSQL must not, and there is no user '${ORDINARY_USER}'`,
    );
  }
  return { uid: Number(fields[2]), gid: Number(fields[3]) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
