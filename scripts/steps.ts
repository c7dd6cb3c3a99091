/** Runs the steps of a check, a few at a time, and says how each went. */
import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** One command of a check. */
export interface Step {
  readonly name: string;
  readonly command: readonly string[];
  /** Its output counts tests (mocha's summary). */
  readonly isTest?: boolean;
  /** Steps that must have ended before, if they run at all. */
  readonly after?: readonly string[];
}

interface Ended {
  readonly step: Step;
  readonly code: number;
  readonly output: string;
  readonly seconds: string;
}

/** More would fight for the cores that the tests' own processes need. */
const AT_ONCE = 2;
/** Far more than any step needs on a busy machine; what takes longer hangs, and would end without a word. */
const STEP_MAX_MS = 20 * 60_000;
/** What a step's own children may still print once it has exited. */
const LAST_OUTPUT_MS = 2000;

/**
 * Starts `steps` in their order, up to two at a time, and ends all at the first failure. A step's output is printed
 * when the step ends, or at once while it is the only one.
 * @returns the exit code: 0 if all succeeded.
 */
export async function runSteps(steps: readonly Step[]): Promise<number> {
  const waiting = [...steps];
  const running = new Map<string, Promise<Ended>>();
  const group = new ProcessGroups();
  let passed = 0;
  let ended = 0;
  const mayStart = ({ after = [] }: Step): boolean =>
    !after.some((name) => running.has(name) || waiting.some((step) => step.name === name));
  const startNext = (): boolean => {
    const next = running.size < AT_ONCE ? waiting.findIndex(mayStart) : -1;
    const [step] = next < 0 ? [] : waiting.splice(next, 1);
    if (!step) return false;
    print(`    ${step.name} …\n`);
    running.set(step.name, group.run(step, steps.length === 1));
    return true;
  };
  try {
    for (;;) {
      while (startNext());
      if (running.size === 0) break;
      const done = await Promise.race(running.values());
      running.delete(done.step.name);
      ended += 1;
      passed += countIn(done.output, 'passing');
      print(`\n[${ended}/${steps.length}] ${done.step.name}\n`);
      if (steps.length > 1) print(done.output);
      const problem = problemOf(done);
      if (problem !== undefined) {
        print(`\n${problem}\n${passed} passed, ${countIn(done.output, 'failing') || 1} failed\n`);
        return 1;
      }
      print(`    ok (${done.seconds} s)\n`);
    }
  } finally {
    group.endAll();
  }
  print(`\n${passed} passed, 0 failed\n`);
  return 0;
}

function print(text: string): void {
  process.stdout.write(text);
}

function problemOf({ step, code, output, seconds }: Ended): string | undefined {
  if (code !== 0) return `${step.name} failed after ${seconds} s`;
  if (step.isTest === true && countIn(output, 'passing') === 0) return `${step.name} ran no test`;
  return undefined;
}

/** Sum of mocha's `12 passing` lines. */
function countIn(output: string, word: 'passing' | 'failing'): number {
  const found = output.matchAll(new RegExp(`^\\s*(\\d+) ${word}`, 'gm'));
  return [...found].reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Steps' processes, each in a group of its own, so that nothing a step started outlives it. */
class ProcessGroups {
  readonly #leaders = new Set<number>();

  constructor() {
    const interrupted = (): void => {
      this.endAll();
      process.exit(1);
    };
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  }

  endAll(): void {
    for (const leader of this.#leaders) killGroup(leader);
  }

  run(step: Step, isShownAtOnce: boolean): Promise<Ended> {
    const startedAt = Date.now();
    const [file = '', ...args] = step.command;
    return new Promise((resolve, reject) => {
      const child = spawn(file, args, {
        cwd: root,
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      const { pid } = child;
      if (pid !== undefined) this.#leaders.add(pid);
      const endGroup = (): void => {
        if (pid !== undefined) killGroup(pid);
      };
      const output = collect(child, isShownAtOnce);
      const late = setTimeout(() => {
        output.push(`\nstill running after ${STEP_MAX_MS / 60_000} min; ended\n`);
        endGroup();
      }, STEP_MAX_MS);
      child.on('error', reject);
      child.on('exit', () => {
        clearTimeout(late);
        setTimeout(endGroup, LAST_OUTPUT_MS).unref();
      });
      child.on('close', (code) => {
        endGroup();
        if (pid !== undefined) this.#leaders.delete(pid);
        const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
        resolve({ step, code: code ?? 1, output: output.join(''), seconds });
      });
    });
  }
}

function collect(child: ChildProcess, isShownAtOnce: boolean): string[] {
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output.push(text);
      if (isShownAtOnce) print(text);
    });
  }
  return output;
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
