import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  mkdir,
  mkdtemp,
  open as openFile,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import { openStore } from '../../src/storage/open-store.ts';
import { openSqlite } from '../../src/storage/sqlite-session.ts';
import type { Store } from '../../src/storage/store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

const OWNER = fileURLToPath(new URL('owner-process.ts', import.meta.url));
const NOBODY = 65_534;

function open(storage: string): Promise<Store> {
  return openStore({ storage, logger: silentLogger, clock: systemClock, ids: systemIds });
}

/** As a copy that was broken off. */
async function cut(path: string): Promise<void> {
  const { size } = await stat(path);
  await truncate(path, size / 2);
}

/** Over all pages but the first. */
async function scribble(path: string): Promise<void> {
  const { size } = await stat(path);
  const opened = await openFile(path, 'r+');
  await opened.write(Buffer.alloc(size - 8192, 0x5a), 0, size - 8192, 8192);
  await opened.close();
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
    const text = 'this is a text file, not a database, and long enough to be read as one';
    await writeFile(file, text);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      await assert.rejects(open(`sqlite:${file}`), {
        code: 'UNAVAILABLE',
        message: `the database file '${file}' is no SQLite database, or its beginning is damaged; choose another file with --storage sqlite:<path>, or restore a back-up (see docs/OPERATIONS.md)`,
      });
    }
    assert.equal(await readFile(file, 'utf8'), text);
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

  for (const { what, fileMode, folderMode, sentence } of [
    {
      what: 'that may only be read',
      fileMode: 0o444,
      folderMode: 0o777,
      sentence:
        'may not be written by this user; give it the right to write the file and its folder',
    },
    {
      what: 'in a folder that may only be read',
      fileMode: 0o666,
      folderMode: 0o555,
      sentence:
        'cannot be opened (unable to open database file); this user must be able to write the file and its folder',
    },
  ]) {
    it(`${what} is refused with its name and what to do, and left as it is`, async () => {
      const store = await open(`sqlite:${file}`);
      await store.close();
      const before = await readFile(file);
      await chmod(file, fileMode);
      await chmod(folder, folderMode);
      await rm(`${file}.lock`);
      const isRoot = process.getuid?.() === 0;
      const { line } = await owner(isRoot ? { uid: NOBODY, gid: NOBODY } : {});
      await chmod(folder, 0o755);
      assert.ok(line.startsWith(`the database file '${file}' ${sentence}`), line);
      assert.deepEqual(await readFile(file), before);
    }).timeout(20_000);
  }

  it('of another program is refused, and nothing is written to it', async () => {
    for (const sql of ['create table notes (text)', 'pragma application_id = 77']) {
      await rm(file, { force: true });
      const other = new DatabaseSync(file);
      other.exec(sql);
      other.close();
      const before = await readFile(file);
      await assert.rejects(open(`sqlite:${file}`), {
        code: 'UNAVAILABLE',
        message: `the database file '${file}' belongs to another program and is left as it is; choose another file with --storage sqlite:<path>`,
      });
      assert.deepEqual(await readFile(file), before);
    }
  });

  it('that is empty is taken for a new one', async () => {
    await writeFile(file, '');
    const store = await open(`sqlite:${file}`);
    await store.close();
  });

  it('that a later release wrote is refused with both versions, and left as it is', async () => {
    const store = await open(`sqlite:${file}`);
    await store.close();
    const later = new DatabaseSync(file);
    later.exec("insert into schema_migrations (id, name, applied_at) values (999, 'later', 1)");
    later.close();
    const before = await readFile(file);
    await assert.rejects(open(`sqlite:${file}`), {
      code: 'UNAVAILABLE',
      message: new RegExp(
        `^the database file '${file}' has schema version 999, newer than version \\d+ that this release knows, and is left as it is; run the release that wrote it, or a later one$`,
      ),
    });
    assert.deepEqual(await readFile(file), before);
  });

  it('that is damaged is refused with what SQLite found and what to do, and left as it is', async () => {
    for (const damage of [cut, scribble]) {
      await rm(file, { force: true });
      const store = await open(`sqlite:${file}`);
      await store.close();
      await damage(file);
      const before = await readFile(file);
      await assert.rejects(open(`sqlite:${file}`), (error: Error) => {
        assert.match(
          error.message,
          new RegExp(
            `^the database file '${file}' is damaged \\([^]+\\) and is not written any more; stop the scheduler and restore a back-up \\(see docs/OPERATIONS.md\\)$`,
          ),
        );
        return true;
      });
      assert.deepEqual(await readFile(file), before);
    }
  });

  it('that is damaged while it is in use is not written any more', async () => {
    const database = openSqlite({ path: file });
    await database.transaction(async (session) => {
      await session.run('create table numbers (n integer primary key, text text)', []);
      await session.run(
        `with recursive c(n) as (select 1 union all select n + 1 from c where n < 2000)
         insert into numbers select n, printf('%0200d', n) from c`,
        [],
      );
    });
    await database.close();
    const again = openSqlite({ path: file });
    await scribble(file);

    const sentence = new RegExp(`^the database file '${file}' is damaged`);
    const count = (): Promise<unknown> =>
      again.read((session) => session.all('select sum(length(text)) from numbers', []));
    await assert.rejects(count(), { code: 'UNAVAILABLE', message: sentence });
    const before = await readFile(file);
    await assert.rejects(
      again.transaction((session) => session.run('create table more (n integer)', [])),
      { code: 'UNAVAILABLE', message: sentence },
    );
    assert.deepEqual(await readFile(file), before);
    await again.close();
  });

  it('is one of the storages there are; others are refused with what there is', async () => {
    await assert.rejects(open('mysql://x'), {
      code: 'INVALID_ARGUMENT',
      message: "storage 'mysql://x' is not known; use memory, sqlite:<path> or postgres://…",
    });
  });
});
