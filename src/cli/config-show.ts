import type { Command } from 'commander';
import { shownConfig, type ShownSetting } from '../config/shown-config.ts';
import type { CommandHost } from './api-command.ts';
import { EXIT } from './cli-context.ts';
import { addHttpApiFlags, openHttpApi, type HttpApiFlags } from './http-api.ts';
import { addServerFlags, readServerConfig } from './server-flags.ts';
import { table } from './table.ts';

/** `durabletask config …`: what a scheduler runs with, or would. */
export function addConfig(program: Command, { context, onExit }: CommandHost): void {
  const group = program.command('config').description('The configuration of a scheduler');
  const command = group
    .command('show')
    .description(
      'Show what `start` would run with here and where each value comes from; with --http-endpoint, what that scheduler runs with',
    );
  addServerFlags(command, 'dev');
  addHttpApiFlags(command, { isJsonThere: true });
  command.action(async (flags: HttpApiFlags) => {
    const { httpEndpoint, json } = flags;
    const settings =
      httpEndpoint === undefined
        ? shownConfig(readServerConfig(command, 'start', context))
        : await settingsOf(flags, context);
    if (json) for (const each of settings) context.stdout(JSON.stringify(each));
    else context.stdout(table(['Setting', 'From', 'Environment', 'Value'], settings.map(rowOf)));
    onExit(EXIT.ok);
  });
}

async function settingsOf(
  flags: HttpApiFlags,
  context: CommandHost['context'],
): Promise<readonly ShownSetting[]> {
  const call = openHttpApi(flags, context);
  const { items } = (await call({ method: 'GET', path: '/config' })) as { items: ShownSetting[] };
  return items;
}

function rowOf({ key, value, source, environment }: ShownSetting): readonly string[] {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? '');
  return [key, source, environment, text];
}
