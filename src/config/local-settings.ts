import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument } from '../core/errors.ts';
import type { AppSettings } from './host-json.ts';
import { isJsonObject, parseJsonObject } from './json-with-comments.ts';
import type { JsonObject } from './json-with-comments.ts';

/** A function app's `local.settings.json`. */
export interface LocalSettings {
  readonly file: string;
  /** `Values`, and each of `ConnectionStrings` as `ConnectionStrings:<name>`. */
  readonly values: Readonly<Record<string, string>>;
  /** `Host.CORS`: origins that may call the functions from a browser; `*` for all. */
  readonly corsOrigins: readonly string[];
  /** `Host.CORSCredentials`. */
  readonly corsCredentials: boolean;
}

/**
 * Reads `local.settings.json` in `appDir`; `undefined` when there is none, which is ordinary: it is
 * kept out of version control. Throws INVALID_ARGUMENT, naming the file and the remedy, when it is
 * encrypted, is not JSON, or has a value that is not text.
 */
export function readLocalSettings(appDir: string): LocalSettings | undefined {
  const file = join(appDir, 'local.settings.json');
  const text = readIfPresent(file);
  if (text === undefined) return undefined;
  const root = parseJsonObject(text, file);
  if (pick(root, 'IsEncrypted') !== false) {
    throw invalidArgument(
      `${file} must say "IsEncrypted": false: encrypted settings cannot be read here. ` +
        'Decrypt it with `func settings decrypt`.',
    );
  }
  const host = objectAt(root, 'Host', file);
  return {
    file,
    values: {
      ...textValues(objectAt(root, 'Values', file), `${file}: Values`),
      ...connectionStrings(objectAt(root, 'ConnectionStrings', file), file),
    },
    corsOrigins: corsOrigins(pick(host, 'CORS'), file),
    corsCredentials: pick(host, 'CORSCredentials') === true,
  };
}

export interface MergedSettings {
  /** What to add to the environment. */
  readonly added: Readonly<Record<string, string>>;
  /** Names that the environment has already, which win. */
  readonly skipped: readonly string[];
}

/** Splits local settings into what the environment lacks and what it has already. */
export function mergeLocalSettings(settings: LocalSettings, env: AppSettings): MergedSettings {
  const entries = Object.entries(settings.values);
  return {
    added: Object.fromEntries(entries.filter(([name]) => env[name] === undefined)),
    skipped: entries.map(([name]) => name).filter((name) => env[name] !== undefined),
  };
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return undefined;
    throw invalidArgument(
      `${file} cannot be read (${code ?? String(error)}). Give this user access to it, or remove it.`,
    );
  }
}

function pick(root: JsonObject, name: string): unknown {
  const key = Object.keys(root).find((each) => each.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : root[key];
}

function objectAt(root: JsonObject, name: string, file: string): JsonObject {
  const value = pick(root, name) ?? {};
  if (isJsonObject(value)) return value;
  throw invalidArgument(`${file}: ${name} must be an object of names and values.`);
}

function textValues(values: JsonObject, where: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, textOf(value, `${where}.${name}`)]),
  );
}

/** Never shows the value: settings hold secrets. */
function textOf(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null) return '';
  throw invalidArgument(`${where} must be a string; write nested values as separate settings.`);
}

function connectionStrings(section: JsonObject, file: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(section).map(([name, value]) => {
      const text = isJsonObject(value) ? pick(value, 'ConnectionString') : value;
      const where = `${file}: ConnectionStrings.${name}`;
      return [`ConnectionStrings:${name}`, textOf(text, where)];
    }),
  );
}

function corsOrigins(value: unknown, file: string): string[] {
  if (value === undefined || value === null) return [];
  if (typeof value !== 'string') {
    throw invalidArgument(`${file}: Host.CORS must be a comma-separated list of origins.`);
  }
  return value
    .split(',')
    .map((origin) => origin.trim())
    .filter((origin) => origin !== '');
}
