import { createRequire } from 'node:module';
import { Command, InvalidArgumentError } from 'commander';
import type { CliContext } from './cli-context.ts';
import { addConfig } from './config-show.ts';
import { runDev, type DevFlags } from './dev.ts';
import { addEntity } from './entity.ts';
import { addInstance } from './instance.ts';
import { addLogLevel } from './log-level.ts';
import { addRetentionPolicy } from './retention-policy.ts';
import { addRoleAssignment } from './role-assignment.ts';
import { addServerFlags, readServerConfig } from './server-flags.ts';
import { runStart } from './start.ts';
import { addTaskHub } from './task-hub.ts';
import { addTransfer } from './transfer.ts';

/** The command line. `onExit` gets the exit code of the command that ran. */
export function createProgram(context: CliContext, onExit: (code: number) => void): Command {
  const program = new Command('durabletask')
    .description(
      'Durable Task Scheduler: durable orchestrations for Node, on this machine or yours',
    )
    .version(packageVersion(), '-v, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout(text.trimEnd()),
      writeErr: (text) => context.stderr(text.trimEnd()),
    })
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText('after', '\nExit codes: 0 ok, 1 the operation failed, 2 wrong usage.');
  addStart(program, context, onExit);
  addDev(program, context, onExit);
  addTaskHub(program, { context, onExit });
  addInstance(program, { context, onExit });
  addEntity(program, { context, onExit });
  addRetentionPolicy(program, { context, onExit });
  addConfig(program, { context, onExit });
  addLogLevel(program, { context, onExit });
  addRoleAssignment(program, { context, onExit });
  addTransfer(program, { context, onExit });
  return program;
}

type OnExit = (code: number) => void;

function addStart(program: Command, context: CliContext, onExit: OnExit): void {
  const command = program
    .command('start')
    .description('Run the scheduler: gRPC for clients and workers, HTTP for people and tools');
  addServerFlags(command, 'start');
  command.action(async (flags: { readonly json?: true }) => {
    const { config, sources } = readServerConfig(command, 'start', context);
    onExit(await runStart({ config, sources, json: flags.json === true }, context));
  });
}

function addDev(program: Command, context: CliContext, onExit: OnExit): void {
  const command = program
    .command('dev [appDir]')
    .description('Run the scheduler and a local Functions host for the app in appDir (default: .)');
  addServerFlags(command, 'dev');
  command
    .option('--connection <string>', 'Use a running scheduler instead of starting one')
    .option('--no-register', 'Leave durable-functions in the app alone')
    .option('--watch', 'Start the app again when its files change')
    .option('--inspect [port]', 'Open the debugger of the app', parseInspectPort)
    .action(async (appDir: string | undefined, flags: DevFlags) => {
      const { config } = readServerConfig(command, 'dev', context);
      onExit(await runDev({ config, appDir: appDir ?? '.', flags }, context));
    });
}

function parseInspectPort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a port, a whole number from 0 to 65535.');
}

function packageVersion(): string {
  const require = createRequire(import.meta.url);
  const { version } = require('../../package.json') as { readonly version: string };
  return version;
}
