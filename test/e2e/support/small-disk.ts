/**
 * A real file system of a few megabytes for one process: a tmpfs in a mount namespace of its own, so that nothing has
 * to be unmounted however the process ends. Others reach it by way of the process.
 */
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeProcess } from '../../support/node-process.ts';

const BLOCK = 64 * 1024;

export class SmallDisk {
  readonly #folder: string;
  readonly #megabytes: number;

  /** `folder` is where the process finds it. */
  constructor(folder: string, megabytes: number) {
    this.#folder = folder;
    this.#megabytes = megabytes;
  }

  /** Starts a process with the disk; root of its own namespace only, if we are not root. */
  get within(): readonly string[] {
    const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const mount = `mount -t tmpfs -o size=${this.#megabytes}m,mode=777 tmpfs "$1" && shift && exec "$@"`;
    return ['unshare', ...user, '--mount', 'sh', '-c', mount, 'sh', this.#folder];
  }

  /** Writes until nothing more fits. */
  async fill(process: NodeProcess): Promise<void> {
    const filler = await open(this.#pathOf(process, 'filler'), 'w');
    try {
      for (;;) await filler.write(Buffer.alloc(BLOCK));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      await filler.close();
    }
  }

  async free(process: NodeProcess): Promise<void> {
    await rm(this.#pathOf(process, 'filler'));
  }

  /** Bytes that still fit. */
  async room(process: NodeProcess): Promise<number> {
    const { bavail, bsize } = await statfs(this.#pathOf(process, '.'));
    return bavail * bsize;
  }

  #pathOf(process: NodeProcess, name: string): string {
    return join(`/proc/${process.pid ?? 0}/root`, this.#folder, name);
  }
}
