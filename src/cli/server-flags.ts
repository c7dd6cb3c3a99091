import { Option, type Command } from 'commander';
import {
  loadServerConfig,
  type LoadedServerConfig,
  type LoadServerConfigOptions,
} from '../config/load-server-config.ts';
import {
  SERVER_CONFIG_KEYS,
  SERVER_OPTIONS,
  serverConfigSchema,
  type ServerConfigKey,
} from '../config/server-config.ts';
import type { CliContext } from './cli-context.ts';

type CommandName = LoadServerConfigOptions['command'];

/** Adds a flag for each server setting; values stay text, the configuration knows their rules. */
export function addServerFlags(command: Command, name: CommandName): void {
  for (const key of SERVER_CONFIG_KEYS) {
    if (key === 'functionsPort' && name === 'start') continue;
    const { flag, environment } = SERVER_OPTIONS[key];
    command.addOption(
      new Option(flag, `${describe(key)} (env: ${environment}${defaultNote(key)})`),
    );
  }
  command.option(
    '--config <file>',
    'Configuration file (env: DURABLETASK_CONFIG, default: durabletask.config.json if present)',
  );
  command.option('--json', 'Print machine-readable lines; the first one says when all is ready');
}

/** Flags over environment over file over defaults. */
export function readServerConfig(
  command: Command,
  name: CommandName,
  { env, cwd }: CliContext,
): LoadedServerConfig {
  const given: Record<string, unknown> = command.opts();
  const flags: Partial<Record<ServerConfigKey, string | true>> = {};
  for (const key of SERVER_CONFIG_KEYS) {
    const value = given[key];
    if (typeof value === 'string' || value === true) flags[key] = value;
  }
  const configFile = typeof given['config'] === 'string' ? given['config'] : undefined;
  return loadServerConfig({ flags, configFile, env, cwd, command: name });
}

function describe(key: ServerConfigKey): string {
  return serverConfigSchema.shape[key].description ?? '';
}

/** What is long or empty by default is left to the description. */
function defaultNote(key: ServerConfigKey): string {
  const value: unknown = serverConfigSchema.shape[key].parse(undefined);
  const text = Array.isArray(value)
    ? value.filter((each) => typeof each === 'string').join(',')
    : value;
  const isShort = typeof text === 'string' || typeof text === 'number';
  return isShort && text !== '' ? `, default: ${text}` : '';
}
