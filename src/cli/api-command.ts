import { InvalidArgumentError, type Command } from 'commander';
import { EXIT, type CliContext } from './cli-context.ts';
import { addHttpApiFlags, openHttpApi, type CallApi, type HttpApiFlags } from './http-api.ts';

/** Where commands are added, and who is told how one ended. */
export interface CommandHost {
  readonly context: CliContext;
  readonly onExit: (code: number) => void;
}

/** What a command that calls the HTTP API works with. */
export interface ApiRun<F extends HttpApiFlags> {
  readonly call: CallApi;
  readonly flags: F;
  readonly context: CliContext;
}

/** Makes `command` one that calls the HTTP API; `work` returns an exit code, nothing means 0. */
export function apiCommand<F extends HttpApiFlags>(
  command: Command,
  { context, onExit }: CommandHost,
  work: (run: ApiRun<F>) => Promise<number | undefined>,
): void {
  addHttpApiFlags(command).action(async (flags: F) => {
    const call = openHttpApi(flags, context);
    onExit((await work({ call, flags, context })) ?? EXIT.ok);
  });
}

/** Flags of commands that concern one task hub. */
export interface HubFlags extends HttpApiFlags {
  readonly taskHubName?: string;
}

/** As in Azure, where the setting of an attached app has this name. */
const HUB_VARIABLE = 'TASKHUB_NAME';
const HUB_DEFAULT = 'default';

export function addHubFlag(command: Command): Command {
  return command.option(
    '--task-hub-name <name>',
    `Task hub (env: ${HUB_VARIABLE}, default: ${HUB_DEFAULT})`,
  );
}

/** The API's path of the task hub that the flags or the environment name. */
export function hubPath({ flags, context }: Pick<ApiRun<HubFlags>, 'flags' | 'context'>): string {
  const hub = flags.taskHubName ?? (context.env[HUB_VARIABLE] || HUB_DEFAULT);
  return `/hubs/${encodeURIComponent(hub)}`;
}

/** For options that may be repeated. */
export function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** For options that are whole numbers. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };
}
