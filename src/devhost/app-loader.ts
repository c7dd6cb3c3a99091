import { globSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseJsonObject } from '../config/json-with-comments.ts';
import type { CoreState } from './core-module.ts';
import { DevHostError } from './dev-host-error.ts';

/**
 * Loads every entry point of the app: the files that `main` of its package.json names, in order.
 * Throws `DevHostError` with the worker's own text when one cannot be found or loaded; the app's
 * own error is its cause.
 */
export async function loadApp(appDir: string, state: CoreState): Promise<void> {
  const { main, isModule } = readPackage(appDir);
  for (const file of findEntryPoints(appDir, main)) {
    state.currentEntryPoint = file;
    try {
      await loadEntryPoint(join(appDir, file), isModule);
    } catch (cause) {
      throw unableToLoad(file, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }
  state.currentEntryPoint = undefined;
}

interface AppPackage {
  readonly main: string;
  readonly isModule: boolean;
}

function readPackage(appDir: string): AppPackage {
  const file = join(appDir, 'package.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new DevHostError(
      `${file} cannot be read. A function app needs it: name the folder that has it, ` +
        'or create it with "main" set to the glob of your functions.',
      { cause },
    );
  }
  const { main, type } = parseJsonObject(text, file);
  if (typeof main !== 'string' || main === '') {
    throw new DevHostError(
      `${file} has no "main": set it to the glob of your functions, such as "src/functions/*.js".`,
    );
  }
  return { main, isModule: type === 'module' };
}

/** Shallow files first, then by name: the order in which the worker's glob meets them. */
function findEntryPoints(appDir: string, pattern: string): string[] {
  const depth = (file: string): number => file.split(sep).length;
  const files = globSync(pattern, { cwd: appDir })
    .filter((file) => statSync(join(appDir, file)).isFile())
    .sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
  if (files.length > 0) return files;
  const hasMagic = /[*?[\]{}]/.test(pattern);
  const reason = hasMagic
    ? 'Found zero files matching the supplied pattern'
    : 'File does not exist';
  const remedy = `Build the app, or correct "main" in ${join(appDir, 'package.json')}.`;
  throw unableToLoad(pattern, `${reason}. ${remedy}`);
}

async function loadEntryPoint(file: string, isModule: boolean): Promise<void> {
  if (/\.m[jt]s$/.test(file) || (isModule && !/\.c[jt]s$/.test(file))) {
    await import(pathToFileURL(file).href);
  } else {
    createRequire(file)(file);
  }
}

function unableToLoad(file: string, reason: string, cause?: unknown): DevHostError {
  return new DevHostError(`Worker was unable to load entry point "${file}": ${reason}`, { cause });
}
