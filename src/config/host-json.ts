import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { invalidArgument } from '../core/errors.ts';
import { isJsonObject, parseJsonObject } from './json-with-comments.ts';
import type { JsonObject } from './json-with-comments.ts';

/** Names and values of app settings: `process.env`, as a rule. */
export type AppSettings = Readonly<Record<string, string | undefined>>;

export interface HostJsonOptions {
  /** The function app's root, absolute. */
  readonly appDir: string;
  readonly env: AppSettings;
}

/**
 * The host.json of a function app with the overriding app settings laid over it. Paths are dotted
 * (`extensions.durableTask.hubName`) and, like the names in the file, not case-sensitive. A value
 * that is absent is `undefined`; one of the wrong kind throws INVALID_ARGUMENT.
 */
export interface HostJson {
  /** Where the file is. */
  readonly file: string;
  /** A string; `%NAME%` as the whole text becomes that app setting when there is one. */
  text(path: string): string | undefined;
  number(path: string): number | undefined;
  flag(path: string): boolean | undefined;
  /** An object as written in the file (names keep their case), overrides applied. */
  section(path: string): JsonObject | undefined;
}

/**
 * Reads `host.json` in `appDir`. An app setting `AzureFunctionsJobHost__a__b` (or `:` for `__`)
 * overrides `a.b`. Throws INVALID_ARGUMENT, naming the file and the remedy, when the file is
 * missing, is not JSON, or is not of version 2.0.
 */
export function readHostJson({ appDir, env }: HostJsonOptions): HostJson {
  const file = join(appDir, 'host.json');
  const root = withOverrides(parseJsonObject(readText(file), file), env);
  const version = lookUp(root, ['version']);
  if (version !== '2.0') {
    throw invalidArgument(
      `${file} must say "version": "2.0", got ${version === undefined ? 'none' : JSON.stringify(version)}.`,
    );
  }
  return hostJsonOf({ file, root, env });
}

/** What `%NAME%` stands for; any other text, and a name without a setting, is returned as it is. */
export function resolveAppSetting(text: string, env: AppSettings): string {
  const name = /^%([^%]+)%$/.exec(text)?.[1];
  return name === undefined ? text : (findSetting(env, name) ?? text);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw invalidArgument(
      `${file} cannot be read (${codeOf(cause)}). A function app needs it: ` +
        'create it with {"version": "2.0"}, or name the folder that has it.',
    );
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

interface HostJsonSource {
  readonly file: string;
  readonly root: JsonObject;
  readonly env: AppSettings;
}

function hostJsonOf({ file, root, env }: HostJsonSource): HostJson {
  const find = (path: string): unknown => {
    const value = lookUp(root, path.split('.'));
    if (value === null) return undefined;
    return typeof value === 'string' ? resolveAppSetting(value, env) : value;
  };
  const wrong = (path: string, kind: string, value: unknown): Error =>
    invalidArgument(`${file}: ${path} must be ${kind}, got ${JSON.stringify(value)}.`);
  return {
    file,
    text(path) {
      const value = find(path);
      if (value === undefined || typeof value === 'string') return value;
      if (typeof value === 'number' || typeof value === 'boolean') return String(value);
      throw wrong(path, 'a string', value);
    },
    number(path) {
      const value = find(path);
      if (value === undefined) return undefined;
      // An app setting is always text, also where the file would have a number.
      const read = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      if (typeof read === 'number' && Number.isFinite(read)) return read;
      throw wrong(path, 'a number', value);
    },
    flag(path) {
      const value = find(path);
      if (value === undefined || typeof value === 'boolean') return value;
      if (typeof value === 'string' && /^(true|false)$/i.test(value)) return /^t/i.test(value);
      throw wrong(path, 'true or false', value);
    },
    section(path) {
      const value = find(path);
      if (value === undefined || isJsonObject(value)) return value;
      throw wrong(path, 'an object', value);
    },
  };
}

/** The value at a path of names, compared without case; the last of several spellings wins. */
function lookUp(root: JsonObject, path: readonly string[]): unknown {
  let value: unknown = root;
  for (const name of path) {
    if (!isJsonObject(value)) return undefined;
    const key = findKey(value, name);
    value = key === undefined ? undefined : value[key];
  }
  return value;
}

function findKey(object: JsonObject, name: string): string | undefined {
  const lower = name.toLowerCase();
  return Object.keys(object).findLast((key) => key.toLowerCase() === lower);
}

const OVERRIDE = /^AzureFunctionsJobHost(?:__|:)(.+)$/i;

function withOverrides(root: JsonObject, env: AppSettings): JsonObject {
  return Object.entries(env).reduce((tree, [name, value]) => {
    const path = OVERRIDE.exec(name)?.[1];
    return path === undefined || value === undefined ? tree : put(tree, path.split(/__|:/), value);
  }, root);
}

function put(tree: JsonObject, path: readonly string[], value: string): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) return tree;
  const key = findKey(tree, name) ?? name;
  const inner = tree[key];
  return {
    ...tree,
    [key]: rest.length === 0 ? value : put(isJsonObject(inner) ? inner : {}, rest, value),
  };
}

/** Exact name first; settings of a Functions host are not case-sensitive. */
function findSetting(env: AppSettings, name: string): string | undefined {
  const exact = env[name];
  if (exact !== undefined) return exact;
  const key = Object.keys(env).find((each) => each.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : env[key];
}
