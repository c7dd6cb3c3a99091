/**
 * `npm start`: the scheduler on embedded SQLite and the HelloCities sample on the local Functions host. Starts one
 * orchestration over HTTP, prints its result and where everything is, and keeps serving; with `--once` it ends after
 * the result. Further arguments go to `durabletask dev`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type * as Cli from '../src/cli/run-cli.ts';
import type { Ready } from '../src/cli/ready.ts';
import type * as Stop from '../src/cli/stop-signal.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const RESULT_WITHIN_MS = 60_000;
const PORTS = { '--grpc-port': 8080, '--http-port': 8082, '--functions-port': 7071 } as const;

type RunCli = typeof Cli;
type StopSignal = typeof Stop;

async function main(args: readonly string[]): Promise<number> {
  const once = args.includes('--once');
  const given = args.filter((arg) => arg !== '--once');
  // The built package, as an installed one runs.
  const { runCli } = (await import(
    new URL('../dist/cli/run-cli.js', import.meta.url).href
  )) as RunCli;
  const { onStopSignal } = (await import(
    new URL('../dist/cli/stop-signal.js', import.meta.url).href
  )) as StopSignal;

  const finished = new AbortController();
  const ready = Promise.withResolvers<Ready>();
  const log: string[] = [];
  const besides =
    once && given.length === 0 ? await beside() : { args: [], close: () => undefined };
  const cli = runCli(
    ['dev', 'samples/hello-cities', '--json', '--log-level', 'warn', ...besides.args, ...given],
    {
      env: process.env,
      cwd: root,
      stdout: (line) => {
        ready.resolve(JSON.parse(line) as Ready);
      },
      stderr: (line) => {
        if (once) log.push(line);
        else process.stderr.write(`${line}\n`);
      },
      stop: AbortSignal.any([finished.signal, onStopSignal(process)]),
    },
  );
  try {
    const opened = await Promise.race([ready.promise, cli]);
    if (typeof opened === 'number') return opened === 0 ? 0 : failed(log, opened);
    await runHelloCities(opened);
    if (!once) process.stdout.write('\nPress Ctrl+C to stop.\n');
    else finished.abort();
    const exitCode = await cli;
    return exitCode === 0 ? 0 : failed(log, exitCode);
  } catch (error) {
    finished.abort();
    await cli;
    process.stderr.write(`${String(error)}\n`);
    return failed(log, 1);
  } finally {
    besides.close();
  }
}

function failed(log: readonly string[], exitCode: number): number {
  for (const line of log) process.stderr.write(`${line}\n`);
  return exitCode;
}

interface Beside {
  readonly args: readonly string[];
  close(): void;
}

/** Makes a single run work beside one that already serves: on free ports and with a file of its own. */
async function beside(): Promise<Beside> {
  const args: string[] = [];
  for (const [flag, port] of Object.entries(PORTS)) {
    if (await isFree(port)) continue;
    process.stderr.write(`Port ${port} is in use; taking a free one instead.\n`);
    args.push(flag, '0');
  }
  if (args.length === 0) return { args, close: () => undefined };
  const folder = mkdtempSync(join(tmpdir(), 'durabletask-once-'));
  return {
    args: [...args, '--storage', `sqlite:${join(folder, 'scheduler.db')}`],
    close: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/** Starts one orchestration the way any HTTP client does and prints what comes of it. */
async function runHelloCities({ grpc, http, functions }: Ready): Promise<void> {
  const startUrl = `${functions ?? ''}/api/orchestrators/HelloCities`;
  const started = await fetch(startUrl, { method: 'POST' });
  if (!started.ok) throw new Error(`POST ${startUrl} answered ${started.status}`);
  const { statusQueryGetUri } = (await started.json()) as { readonly statusQueryGetUri: string };
  const output = await outputOf(statusQueryGetUri);
  const rows = [
    JSON.stringify(output),
    '',
    `HTTP       ${startUrl} (POST starts another)`,
    `Status     ${statusQueryGetUri}`,
    `Dashboard  ${http ?? ''}/`,
    `gRPC       ${grpc}`,
  ];
  process.stdout.write(`${rows.join('\n')}\n`);
}

async function outputOf(statusUrl: string): Promise<unknown> {
  const deadlineAt = Date.now() + RESULT_WITHIN_MS;
  for (;;) {
    const answer = await fetch(statusUrl);
    const state = (await answer.json()) as {
      readonly runtimeStatus: string;
      readonly output: unknown;
    };
    if (state.runtimeStatus === 'Completed') return state.output;
    const isOver = !['Pending', 'Running'].includes(state.runtimeStatus);
    if (isOver || Date.now() > deadlineAt) {
      throw new Error(`HelloCities is ${state.runtimeStatus}: ${JSON.stringify(state.output)}`);
    }
    await sleep(50);
  }
}

// Sockets that fetch keeps open for reuse may not hold up the end.
process.exit(await main(process.argv.slice(2)));
