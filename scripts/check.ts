/**
 * The one definition of "green": `npm test`, `npm run check` and CI all run this. Steps run in order and stop at the
 * first failure; `node scripts/check.ts lint types` runs only the named ones.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Step {
  readonly name: string;
  readonly command: readonly string[];
  /** Its output counts tests (mocha's summary). */
  readonly isTest?: boolean;
}

const mocha = (timeoutMs: number, ...specs: readonly string[]): readonly string[] => [
  'mocha',
  '--timeout',
  String(timeoutMs),
  ...specs.map((spec) => `test/${spec}/**/*.test.ts`),
];

const PURE = ['core', 'replay', 'wire'];
const ROOMS = [
  'base',
  'client',
  'config',
  'contract',
  'devhost',
  'differential',
  'functions',
  'parity',
  'register',
  'scheduler',
  'server',
  'simulation',
  'storage',
  'telemetry',
  'testing',
  'worker',
];

const coverage = [
  'c8',
  '--check-coverage',
  '--lines=100',
  '--branches=100',
  '--reporter=text-summary',
  ...['core', 'replay'].map((room) => `--include=src/${room}/**`),
  '--exclude-after-remap=false',
];

const STEPS: readonly Step[] = [
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { name: 'lint', command: ['eslint', '--max-warnings=0', '.'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  { name: 'dashboard-types', command: ['tsc', '--noEmit', '-p', 'src/dashboard'] },
  { name: 'boundaries', command: ['depcruise', '--config', '.dependency-cruiser.js', 'src'] },
  { name: 'dead-code', command: ['knip', '--no-progress'] },
  { name: 'build', command: ['node', 'scripts/build.ts'] },
  { name: 'pure', command: [...coverage, ...mocha(5_000, ...PURE)], isTest: true },
  { name: 'rooms', command: mocha(10_000, ...ROOMS), isTest: true },
  { name: 'compatibility', command: mocha(30_000, 'compat'), isTest: true },
  { name: 'end-to-end', command: mocha(30_000, 'cli', 'e2e', 'samples'), isTest: true },
  { name: 'dashboard', command: mocha(30_000, 'dashboard'), isTest: true },
  { name: 'package', command: mocha(180_000, 'package'), isTest: true },
  { name: 'node-22', command: ['node', 'scripts/check-node-22.ts'], isTest: true },
];

async function main(names: readonly string[]): Promise<number> {
  const steps = names.length === 0 ? STEPS : STEPS.filter(({ name }) => names.includes(name));
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) {
    const known = STEPS.map(({ name }) => name).join(', ');
    process.stderr.write(`no such step: ${unknown.join(', ')}; there are ${known}\n`);
    return 2;
  }
  let passed = 0;
  for (const [index, step] of steps.entries()) {
    process.stdout.write(`\n[${index + 1}/${steps.length}] ${step.name}\n`);
    const startedAt = Date.now();
    const { code, output } = await run(step.command);
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    if (code !== 0) {
      const failed = countIn(output, 'failing');
      process.stdout.write(`\n${step.name} failed after ${seconds} s\n`);
      process.stdout.write(
        `${passed + countIn(output, 'passing')} passed, ${failed || 1} failed\n`,
      );
      return 1;
    }
    if (step.isTest === true) {
      const count = countIn(output, 'passing');
      if (count === 0) {
        process.stdout.write(`${step.name} ran no test\n`);
        return 1;
      }
      passed += count;
    }
    process.stdout.write(`    ok (${seconds} s)\n`);
  }
  process.stdout.write(`\n${passed} passed, 0 failed\n`);
  return 0;
}

/** Sum of mocha's `12 passing` lines. */
function countIn(output: string, word: 'passing' | 'failing'): number {
  const found = output.matchAll(new RegExp(`^\\s*(\\d+) ${word}`, 'gm'));
  return [...found].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Far more than any step needs on a busy machine; what takes longer hangs, and would end without a word. */
const STEP_MAX_MS = 20 * 60_000;
/** What a step's own children may still print once it has exited. */
const LAST_OUTPUT_MS = 2000;

interface Ended {
  readonly code: number;
  readonly output: string;
}

/** Runs a step in a process group of its own, so that nothing it started outlives it. */
function run(command: readonly string[]): Promise<Ended> {
  const [file = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      process.stdout.write(text);
    });
    const endGroup = (): void => {
      if (child.pid !== undefined) killGroup(child.pid);
    };
    const interrupted = (): void => {
      endGroup();
      process.exit(1);
    };
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    const late = setTimeout(() => {
      process.stdout.write(`\nstill running after ${STEP_MAX_MS / 60_000} min; ended\n`);
      endGroup();
    }, STEP_MAX_MS);
    child.on('error', reject);
    child.on('exit', () => {
      clearTimeout(late);
      setTimeout(endGroup, LAST_OUTPUT_MS).unref();
    });
    child.on('close', (code) => {
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      endGroup();
      resolve({ code: code ?? 1, output });
    });
  });
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

process.exitCode = await main(process.argv.slice(2));
