import type { ConfigSource } from './load-server-config.ts';
import {
  flagName,
  SERVER_CONFIG_KEYS,
  SERVER_OPTIONS,
  serverConfigSchema,
  type ServerConfig,
  type ServerConfigKey,
} from './server-config.ts';

/** Where each value came from; what is not named was given by the embedding program. */
export type ConfigSources = Readonly<Partial<Record<ServerConfigKey, ConfigSource>>>;

/** A configuration and where it came from. */
export interface ConfigWithSources {
  readonly config: ServerConfig;
  readonly sources: ConfigSources;
}

/** A setting as people may see it. */
export interface ShownSetting {
  readonly key: ServerConfigKey;
  readonly value: unknown;
  readonly source: ConfigSource;
  readonly description: string;
  readonly flag: string;
  readonly environment: string;
}

/** Every setting, secrets masked. */
export function shownConfig({ config, sources }: ConfigWithSources): readonly ShownSetting[] {
  return SERVER_CONFIG_KEYS.map((key) => ({
    key,
    value: masked(config[key]),
    source: sources[key] ?? 'option',
    description: serverConfigSchema.shape[key].description ?? '',
    flag: flagName(key),
    environment: SERVER_OPTIONS[key].environment,
  }));
}

/** The password of an address, without a hint of its length. */
function masked(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  return value
    .replace(/^(\w+:\/\/[^:/@]*):.*@/, '$1:••••@')
    .replaceAll(/([?&](?:password|sslpassword|token)=)[^&]*/gi, '$1••••');
}
