import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import { openStore } from '../../src/storage/open-store.ts';
import type { Store } from '../../src/storage/store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

const OWNER = fileURLToPath(new URL('owner-process.ts', import.meta.url));
const NOBODY = 65_534;

function open(storage: string): Promise<Store> {
  return openStore({ storage, logger: silentLogger, clock: systemClock, ids: systemIds });
}

describe('an SQLite file', () => {
  let folder: string;
  let file: string;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sqlite-file-'));
    file = join(folder, 'scheduler.db');
  });

  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
    }
    await rm(folder, { recursive: true, force: true });
  });

  /** A process that opens the file; its first line says how that went. */
  async function owner(options: { uid?: number; gid?: number } = {}) {
    const child = spawn(process.execPath, [OWNER, `sqlite:${file}`], {
      ...options,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    return { child, line: line.toString().trim() };
  }

  it('is made with its folder', async () => {
    file = join(folder, 'a', 'b', 'scheduler.db');
    const store = await open(`sqlite:${file}`);
    await store.close();
  });

  it('has one owner: a second process is told which file and what to do', async () => {
    const { line } = await owner();
    assert.equal(line, 'open');
    await assert.rejects(open(`sqlite:${file}`), {
      code: 'UNAVAILABLE',
      message: `the database file '${file}' is in use by another scheduler; stop that one, or choose another file with --storage sqlite:<path>`,
    });
  }).timeout(20_000);

  it('has one owner by whatever name it is opened', async () => {
    const store = await open(`sqlite:${file}`);
    const other = join(folder, 'link.db');
    await symlink(file, other);
    await assert.rejects(open(`sqlite:${other}`), { code: 'UNAVAILABLE' });
    await store.close();
  });

  it('is free again as soon as its owner was killed, with nothing to clean', async () => {
    const { child } = await owner();
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = await open(`sqlite:${file}`);
    await store.close();
  }).timeout(20_000);

  it('is free again once it was closed, and closing twice is closing once', async () => {
    const first = await open(`sqlite:${file}`);
    await first.close();
    await first.close();
    const second = await open(`sqlite:${file}`);
    await second.close();
  });

  it('that is no database is refused with its name, and the lock given back', async () => {
    await writeFile(file, 'this is a text file, not a database, and long enough to be read as one');
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await assert.rejects(open(`sqlite:${file}`), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'UNAVAILABLE');
        assert.ok(error.message.includes(`'${file}' cannot be opened: file is not a database`));
        return true;
      });
    }
  });

  it('that is a folder is refused with its name', async () => {
    await mkdir(file);
    await assert.rejects(open(`sqlite:${file}`), {
      code: 'UNAVAILABLE',
      message: new RegExp(`'${file}' cannot be opened`),
    });
  });

  it('below something that is no folder is refused with its name', async () => {
    await writeFile(join(folder, 'text'), '');
    await assert.rejects(open(`sqlite:${join(folder, 'text', 'x', 'scheduler.db')}`), {
      code: 'UNAVAILABLE',
      message: /folder of the database file .* cannot be made/,
    });
  });

  it('that may not be written is refused with its name', async () => {
    const store = await open(`sqlite:${file}`);
    await store.close();
    await chmod(file, 0o444);
    await chmod(folder, 0o555);
    const isRoot = process.getuid?.() === 0;
    const { line } = await owner(isRoot ? { uid: NOBODY, gid: NOBODY } : {});
    await chmod(folder, 0o755);
    assert.ok(line.includes(`the database file '${file}' cannot be opened`), line);
  }).timeout(20_000);

  it('is one of the storages there are; others are refused with what there is', async () => {
    await assert.rejects(open('mysql://x'), {
      code: 'INVALID_ARGUMENT',
      message: "storage 'mysql://x' is not known; use memory, sqlite:<path> or postgres://…",
    });
  });
});
