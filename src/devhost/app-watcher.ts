import { readdirSync, statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { isAbort } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';

export interface AppWatcherOptions {
  readonly clock: Clock;
  /** Called once for a burst of changes, when it is over. */
  readonly onChange: () => void;
  /** Told of a folder that cannot be watched (the system's limit on watches, no access). */
  readonly onError: (dir: string, error: unknown) => void;
}

export interface AppWatcher {
  close(): Promise<void>;
}

/** A burst of changes (a build, a branch switch) is over after this much silence. */
const QUIET_MS = 200;
const CODE = /\.(?:[cm]?[jt]s|json|node|wasm)$/i;

/**
 * Watches an app's code and settings, not its packages nor its data. Directories are watched one by
 * one: a recursive watch would follow node_modules.
 */
export function watchApp(appDir: string, options: AppWatcherOptions): AppWatcher {
  const { clock, onChange, onError } = options;
  const watchers = new Map<string, FSWatcher>();
  let quiet: AbortController | undefined;
  let waiting = Promise.resolve();

  const changed = (): void => {
    quiet?.abort();
    quiet = new AbortController();
    waiting = whenQuiet(quiet.signal);
  };
  const whenQuiet = async (signal: AbortSignal): Promise<void> => {
    try {
      await clock.sleepUntil(clock.now() + QUIET_MS, { signal });
    } catch (error) {
      if (isAbort(error, signal)) return;
      throw error;
    }
    addBelow(appDir);
    onChange();
  };
  const addBelow = (dir: string): void => {
    if (!watchers.has(dir)) addOne(dir);
    for (const entry of listDir(dir)) {
      if (entry.isDirectory() && isWatched(entry.name)) addBelow(join(dir, entry.name));
    }
  };
  const isNewDirectory = (dir: string, name: string): boolean => {
    const path = join(dir, name);
    if (!isWatched(name) || watchers.has(path)) return false;
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  };
  const addOne = (dir: string): void => {
    const watcher = open(dir);
    if (watcher === undefined) return;
    watcher.on('error', () => {
      // The directory is gone; its parent tells of that.
      watcher.close();
      watchers.delete(dir);
    });
    watchers.set(dir, watcher);
  };
  const open = (dir: string): FSWatcher | undefined => {
    try {
      return watch(dir, (_, name) => {
        if (name === null || CODE.test(name) || isNewDirectory(dir, name)) changed();
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') onError(dir, error);
      return undefined;
    }
  };

  addBelow(appDir);
  return {
    async close() {
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
      quiet?.abort();
      await waiting;
    },
  };
}

function isWatched(directory: string): boolean {
  return directory !== 'node_modules' && !directory.startsWith('.');
}

/** A directory that vanished meanwhile has no entries. */
function listDir(dir: string): ReturnType<typeof readEntries> {
  try {
    return readEntries(dir);
  } catch {
    return [];
  }
}

function readEntries(dir: string) {
  return readdirSync(dir, { withFileTypes: true });
}
