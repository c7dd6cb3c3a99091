import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '../config/load-server-config.ts';

/**
 * The JSON text that an option gives, or the file that it names as `@file`.
 * @throws ConfigError if the file cannot be read, or the text is not JSON.
 */
export function jsonArgument(
  option: string,
  value: string | undefined,
  cwd: string,
): string | undefined {
  if (value === undefined) return undefined;
  const text = value.startsWith('@') ? readArgument(option, resolve(cwd, value.slice(1))) : value;
  try {
    JSON.parse(text);
    return text;
  } catch (cause) {
    throw new ConfigError(
      [
        `${option} must be JSON, got ${shown(text)} (${(cause as Error).message}). A string needs quotes of its own: '"text"'; a file is named as @file.`,
      ],
      { cause },
    );
  }
}

function readArgument(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new ConfigError([`${option}: ${path} cannot be read (${code}).`], { cause });
  }
}

function shown(text: string): string {
  return text.length > 60 ? `'${text.slice(0, 60)}…'` : `'${text}'`;
}
