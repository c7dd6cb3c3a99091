/**
 * The app's process: started by `dev-host.ts`, it waits for its options, loads the app and serves
 * it. It ends when it is told to, when it is sent SIGTERM, or when its parent is gone.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../base/clock.ts';
import { systemIds } from '../base/ids.ts';
import { addSettings } from './app-settings.ts';
import { tagged, toChild } from './child-messages.ts';
import type { ChildOptions, FromChild } from './child-messages.ts';
import { openFunctionHost } from './function-host.ts';
import type { FunctionHost } from './function-host.ts';

let host: FunctionHost | undefined;
let isClosing = false;

function main(): void {
  const watchdog = new URL(`./child-watchdog${extname(import.meta.url)}`, import.meta.url);
  new Worker(watchdog, { execArgv: [] }).unref();
  // The parent reads both; once it is gone, the app must still get to its end.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  process.on('message', (message) => {
    const command = toChild(message);
    if (command?.kind === 'start') void start(command.options);
    if (command?.kind === 'close') void close();
  });
  process.on('disconnect', () => void close());
  process.on('SIGTERM', () => void close());
  // Ctrl-C reaches the parent too, which closes this process in its own order.
  process.on('SIGINT', () => undefined);
}

async function start(options: ChildOptions): Promise<void> {
  try {
    const settings = addSettings(process.env, options, printLine);
    host = await openFunctionHost({
      ...options,
      env: process.env,
      clock: systemClock,
      ids: systemIds,
      cors: {
        origins: settings?.corsOrigins ?? [],
        credentials: settings?.corsCredentials ?? false,
      },
      output: printLine,
      onListening: (port) => {
        process.env['WEBSITE_HOSTNAME'] = `localhost:${port}`;
      },
    });
    send({ kind: 'ready', port: host.port, functions: host.functions });
  } catch (error) {
    printCause(error);
    const message = error instanceof Error ? error.message : String(error);
    send({ kind: 'failed', message }, () => process.exit(1));
  }
}

async function close(): Promise<void> {
  if (isClosing) return;
  isClosing = true;
  await host?.close();
  process.exit(0);
}

/** The app's own stack says where to look; ours says nothing to the user. */
function printCause(error: unknown): void {
  const cause = error instanceof Error ? error.cause : undefined;
  if (!(cause instanceof Error) || cause.stack === undefined) return;
  // That of a port in use is Node's own from top to bottom: the message has it all.
  if ((cause as NodeJS.ErrnoException).syscall !== 'listen')
    process.stderr.write(`${cause.stack}\n`);
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

function send(message: FromChild, onSent: () => void = () => undefined): void {
  if (process.send === undefined || !process.connected) onSent();
  else process.send(tagged(message), onSent);
}

main();
