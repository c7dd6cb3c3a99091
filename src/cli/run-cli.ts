import { CommanderError } from 'commander';
import { ConfigError } from '../config/load-server-config.ts';
import { TaskHubError } from '../core/errors.ts';
import { DevHostError } from '../devhost/dev-host-error.ts';
import { describeError } from '../telemetry/logger.ts';
import { EXIT, type CliContext } from './cli-context.ts';
import { createProgram } from './program.ts';
import { onStopSignal } from './stop-signal.ts';

/** Runs the command line of this process and ends the process with its exit code. */
export async function runCliInProcess(): Promise<void> {
  const context: CliContext = {
    env: process.env,
    cwd: process.cwd(),
    stdout: (line) => process.stdout.write(`${line}\n`),
    stderr: (line) => process.stderr.write(`${line}\n`),
    stop: onStopSignal(process),
  };
  // Nothing that was left open may keep the process alive once the command has ended.
  process.exit(await runCli(process.argv.slice(2), context));
}

/** Runs one command and returns its exit code; failures are sentences on stderr, never a stack. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = createProgram(context, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return report(error, context);
  }
}

function report(error: unknown, { stderr }: CliContext): number {
  if (error instanceof CommanderError) {
    // Help and version were asked for; anything else commander has explained by itself.
    return error.exitCode === 0 ? EXIT.ok : EXIT.wrongUsage;
  }
  if (error instanceof ConfigError) {
    for (const problem of error.problems) stderr(`durabletask: ${problem}`);
    return EXIT.wrongUsage;
  }
  if (error instanceof TaskHubError || error instanceof DevHostError) {
    stderr(`durabletask: ${error.message}`);
    return EXIT.failed;
  }
  stderr(`durabletask: failed unexpectedly (${describeError(error)}); please report this.`);
  if (error instanceof Error && error.stack !== undefined) stderr(error.stack);
  return EXIT.failed;
}
