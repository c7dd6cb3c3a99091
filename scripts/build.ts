/**
 * Builds the package into dist/ and the TypeScript samples into their own dist/. Does nothing when no source has
 * changed since the last build; `node scripts/build.ts --force` builds all the same.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDashboard } from './build-dashboard.ts';
import { finishDeclarations } from './declarations.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const bin = join(dist, 'cli/main.js');
const stampFile = join(root, '.tmp/build-stamp');
const SOURCES = [
  'src/**/*.{ts,tsx,css,html,svg}',
  'tsconfig*.json',
  'package-lock.json',
  'scripts/{build,declarations}.ts',
  'samples/*/src/**/*.ts',
  'samples/*/tsconfig.json',
];

async function main(): Promise<number> {
  const stamp = stampOfSources();
  const samples = globSync('samples/*/tsconfig.json', { cwd: root });
  const outputs = [bin, ...samples.map((config) => join(root, config, '../dist'))];
  const isFresh = outputs.every((path) => existsSync(path)) && readStamp() === stamp;
  if (isFresh && !process.argv.includes('--force')) return 0;

  rmSync(stampFile, { force: true });
  if (!(await buildPackage()) || !samples.every(buildSample)) return 1;
  mkdirSync(join(root, '.tmp'), { recursive: true });
  writeFileSync(stampFile, stamp);
  return 0;
}

/** Compiles beside dist/ and swaps, so that nothing stale stays and a failure leaves the old build. */
async function buildPackage(): Promise<boolean> {
  const fresh = `${dist}.${process.pid}.tmp`;
  const old = `${dist}.${process.pid}.old`;
  try {
    if (!tsc('-p', 'tsconfig.build.json', '--outDir', fresh)) return false;
    finishDeclarations(fresh);
    await buildDashboard(join(fresh, 'dashboard'));
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(fresh, dist);
    chmodSync(bin, 0o755);
    return true;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
    rmSync(old, { recursive: true, force: true });
  }
}

function buildSample(config: string): boolean {
  rmSync(join(root, config, '../dist'), { recursive: true, force: true });
  return tsc('-p', config);
}

function tsc(...args: readonly string[]): boolean {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  return status === 0;
}

/** Changes when a source is added, removed or written to. */
function stampOfSources(): string {
  const hash = createHash('sha256');
  for (const file of globSync(SOURCES, { cwd: root }).sort()) {
    const { mtimeMs, size } = statSync(join(root, file));
    hash.update(`${file}\0${mtimeMs}\0${size}\n`);
  }
  return hash.digest('hex');
}

function readStamp(): string | undefined {
  return existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : undefined;
}

process.exitCode = await main();
