import { Argument, type Command } from 'commander';
import { LOG_LEVELS } from '../telemetry/logger.ts';
import type { CommandHost } from './api-command.ts';
import { EXIT } from './cli-context.ts';
import { addHttpApiFlags, openHttpApi, type HttpApiFlags } from './http-api.ts';

/** As the HTTP API answers it. */
interface LogLevelAnswer {
  readonly level: string;
}

const PATH = '/log-level';

/** `durabletask log-level [level]`: how much a running scheduler writes into its log. */
export function addLogLevel(program: Command, { context, onExit }: CommandHost): void {
  const command = program
    .command('log-level')
    .description('Show the log level of a running scheduler, or set it until it is started again')
    .addArgument(new Argument('[level]', 'The level to set').choices(LOG_LEVELS));
  addHttpApiFlags(command).action(async (level: string | undefined, flags: HttpApiFlags) => {
    const call = openHttpApi(flags, context);
    const answer = (await call(
      level === undefined
        ? { method: 'GET', path: PATH }
        : { method: 'PUT', path: PATH, body: { level } },
    )) as LogLevelAnswer;
    context.stdout(flags.json ? JSON.stringify(answer) : answer.level);
    onExit(EXIT.ok);
  });
}
