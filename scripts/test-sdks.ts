/**
 * Runs the published SDKs of other languages, unmodified, against this repository's scheduler: client and worker of
 * the Python packages and of the Java one. Needs Python with venv, a JDK and Maven, and the package registries; all
 * that it makes is below .tmp/sdks. `node scripts/test-sdks.ts python` or `java` runs the suites of one language.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'test/sdks');
const work = join(root, '.tmp/sdks');
const venv = join(work, 'python');
const python = join(venv, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
const classpathFile = join(work, 'java.classpath');

/** Hubs for the suites: the first is shared by a suite's cases, each of the others belongs to one case. */
const HUBS = ['sdk', ...Array.from({ length: 40 }, (_, n) => `own${n + 1}`)];
/** A suite that takes longer hangs. */
const SUITE_MS = 300_000;
const READY_MS = 30_000;

interface Suite {
  readonly language: 'python' | 'java';
  /** As in the registry. */
  readonly sdk: string;
  readonly storage: 'memory' | 'sqlite';
  readonly command: (address: string) => readonly [string, readonly string[]];
}

interface Result {
  readonly suite: Suite;
  readonly version: string;
  readonly cases: number;
  readonly failures: readonly string[];
  readonly seconds: number;
}

interface CaseLine {
  readonly case: string;
  readonly error: string | null;
}

/** What must be installed, and how to see that it is. */
const TOOLS = {
  python: [
    ['Python 3.10 or newer', 'python3', ['-c', 'import sys; assert sys.version_info >= (3, 10)']],
    ['the venv module of Python', 'python3', ['-c', 'import venv, ensurepip']],
  ],
  java: [
    ['a JDK 11 or newer (javac)', 'javac', ['--release', '11', '-version']],
    ['Java', 'java', ['-version']],
    ['Maven', 'mvn', ['--version']],
  ],
} as const satisfies Record<string, readonly (readonly [string, string, readonly string[]])[]>;

function pythonSuite(sdk: string, flavour: string, storage: Suite['storage']): Suite {
  const main = join(sources, 'python/main.py');
  return {
    language: 'python',
    sdk,
    storage,
    // -B: no compiled files in the source tree.
    command: (address) => [python, ['-B', main, address, flavour, HUBS.join(',')]],
  };
}

function javaSuite(storage: Suite['storage']): Suite {
  return {
    language: 'java',
    sdk: 'com.microsoft:durabletask-client',
    storage,
    command: (address) => {
      const classpath = [join(work, 'java/classes'), readFileSync(classpathFile, 'utf8').trim()];
      return ['java', ['-cp', classpath.join(delimiter), 'sdks.Main', address, HUBS.join(',')]];
    },
  };
}

const SUITES: readonly Suite[] = [
  pythonSuite('durabletask', 'plain', 'memory'),
  pythonSuite('durabletask-azuremanaged', 'azuremanaged', 'memory'),
  pythonSuite('durabletask-azuremanaged', 'azuremanaged', 'sqlite'),
  javaSuite('memory'),
  javaSuite('sqlite'),
];

async function main(): Promise<number> {
  const [only] = process.argv.slice(2);
  const suites = SUITES.filter(({ language }) => only === undefined || language === only);
  if (suites.length === 0) {
    process.stderr.write(`'${String(only)}' is not a language; say python, java or nothing.\n`);
    return 2;
  }
  const languages = [...new Set(suites.map(({ language }) => language))];
  const missing = languages.flatMap(missingTools);
  if (missing.length > 0) {
    process.stderr.write(
      `The SDK suites need what is not installed here: ${missing.join(', ')}.\n` +
        'Install it, or run one language: npm run test:sdks -- python, npm run test:sdks -- java\n',
    );
    return 2;
  }
  mkdirSync(work, { recursive: true });
  for (const language of languages) prepare[language]();
  const results: Result[] = [];
  for (const suite of suites) results.push(await runSuite(suite));
  report(results);
  return results.every(({ cases, failures }) => cases > 0 && failures.length === 0) ? 0 : 1;
}

function missingTools(language: Suite['language']): readonly string[] {
  return TOOLS[language]
    .filter(([, command, args]) => spawnSync(command, args, { stdio: 'ignore' }).status !== 0)
    .map(([name]) => name);
}

const prepare = {
  python: () => {
    const requirements = join(sources, 'python/requirements.txt');
    if (!existsSync(python)) run('python3', ['-m', 'venv', venv]);
    const flags = ['--quiet', '--disable-pip-version-check'];
    run(python, ['-m', 'pip', 'install', ...flags, '-r', requirements]);
  },
  java: () => {
    const pom = join(sources, 'java/pom.xml');
    // `classes` only grows: a class whose source is gone would go on running.
    rmSync(join(work, 'java'), { recursive: true, force: true });
    const goals = ['compile', 'dependency:build-classpath', `-Dmdep.outputFile=${classpathFile}`];
    run('mvn', ['--quiet', '--batch-mode', '--file', pom, ...goals]);
  },
} as const satisfies Record<Suite['language'], () => void>;

function run(command: string, args: readonly string[]): void {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${String(status)}`);
}

/** The version that the registry gave, not the one that was asked for. */
function versionOf({ language, sdk }: Suite): string {
  if (language === 'java') {
    const classpath = readFileSync(classpathFile, 'utf8');
    return /durabletask-client-([^/\\]+)\.jar/.exec(classpath)?.[1] ?? 'unknown';
  }
  const code = `import importlib.metadata as m; print(m.version('${sdk}'))`;
  return spawnSync(python, ['-c', code], { encoding: 'utf8' }).stdout.trim();
}

async function runSuite(suite: Suite): Promise<Result> {
  const version = versionOf(suite);
  process.stdout.write(`\n${suite.sdk} ${version} on ${suite.storage}\n`);
  const scheduler = await startScheduler(suite.storage);
  const startedAt = performance.now();
  try {
    const lines = await runCases(suite, scheduler.address);
    const failures = lines.filter(({ error }) => error !== null).map((line) => line.case);
    const seconds = (performance.now() - startedAt) / 1000;
    return { suite, version, cases: lines.length, failures, seconds };
  } finally {
    await scheduler.stop();
  }
}

async function runCases(suite: Suite, address: string): Promise<readonly CaseLine[]> {
  const [command, args] = suite.command(address);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const deadline = setTimeout(() => child.kill('SIGKILL'), SUITE_MS);
  const lines: CaseLine[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as CaseLine;
    lines.push(line);
    if (line.error !== null) process.stdout.write(`  FAILED ${line.case}\n    ${line.error}\n`);
  }
  clearTimeout(deadline);
  const hasFailures = lines.some(({ error }) => error !== null);
  const [code, signal] = await ended(child);
  if (code !== 0 && !hasFailures) {
    const error = `ended with ${signal ?? String(code)} after ${lines.length} cases`;
    process.stdout.write(`  FAILED the suite ${error}\n`);
    lines.push({ case: 'the suite itself', error });
  }
  return lines;
}

interface Scheduler {
  readonly address: string;
  stop(): Promise<void>;
}

async function startScheduler(storage: Suite['storage']): Promise<Scheduler> {
  const file = join(work, `scheduler-${process.pid}.db`);
  const where = storage === 'memory' ? 'memory' : `sqlite:${file}`;
  const flags = ['--storage', where, '--grpc-port', '0', '--http-port', '0', '--json'];
  const child = spawn(
    process.execPath,
    [
      join(root, 'src/cli/main.ts'),
      'start',
      ...flags,
      ...['--task-hubs', ['default', ...HUBS].join(','), '--log-level', 'error'],
    ],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const stop = async (): Promise<void> => {
    const gone = ended(child);
    child.kill('SIGTERM');
    await gone;
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true });
  };
  try {
    return { address: await readAddress(child), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** From the line that `--json` prints when all is ready. */
async function readAddress(child: ChildProcess): Promise<string> {
  const deadline = setTimeout(() => child.kill('SIGKILL'), READY_MS);
  try {
    for await (const line of createInterface({ input: child.stdout! })) {
      const { event, grpc } = JSON.parse(line) as { event?: string; grpc?: string };
      if (event === 'ready' && grpc !== undefined) return new URL(grpc).host;
    }
  } finally {
    clearTimeout(deadline);
    // Later lines are of no interest, but must not fill the pipe.
    child.stdout!.resume();
  }
  const what = child.exitCode === null ? `said nothing within ${READY_MS / 1000} s` : 'ended';
  throw new Error(`the scheduler ${what} before it was ready`);
}

async function ended(child: ChildProcess): Promise<[number | null, NodeJS.Signals | null]> {
  if (child.exitCode === null && child.signalCode === null) {
    await new Promise((resolve) => child.once('exit', resolve));
  }
  return [child.exitCode, child.signalCode];
}

function report(results: readonly Result[]): void {
  const rows = [
    ['SDK', 'version', 'storage', 'passed', 'failed', 'seconds'],
    ...results.map(({ suite, version, cases, failures, seconds }) => [
      suite.sdk,
      version,
      suite.storage,
      String(cases - failures.length),
      String(failures.length),
      seconds.toFixed(1),
    ]),
  ];
  const widths = rows[0]!.map((_, n) => Math.max(...rows.map((row) => row[n]!.length)));
  const table = rows.map((row) =>
    row
      .map((cell, n) => cell.padEnd(widths[n]!))
      .join('  ')
      .trimEnd(),
  );
  process.stdout.write(`\n${table.join('\n')}\n`);
  const records = results.map(({ suite, version, cases, failures, seconds }) => ({
    sdk: suite.sdk,
    version,
    storage: suite.storage,
    passed: cases - failures.length,
    failed: failures,
    seconds,
  }));
  writeFileSync(join(work, 'results.json'), `${JSON.stringify(records, undefined, 2)}\n`);
  const failed = results.reduce((sum, { failures }) => sum + failures.length, 0);
  const passed = results.reduce((sum, { cases }) => sum + cases, 0) - failed;
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
}

try {
  process.exitCode = await main();
} catch (error) {
  // A tool or the scheduler failed; what it said is above.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
