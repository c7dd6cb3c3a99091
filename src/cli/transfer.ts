import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { loadServerConfig } from '../config/load-server-config.ts';
import { TaskHubError } from '../core/errors.ts';
import type { TransferStep } from '../server/transfer.ts';
import type { CommandHost } from './api-command.ts';
import { EXIT, type CliContext } from './cli-context.ts';
import { createCliLogger } from './cli-logger.ts';

interface TransferFlags {
  readonly storage?: string;
  readonly config?: string;
  readonly json?: true;
}

interface ExportFlags extends TransferFlags {
  readonly taskHubs?: string;
  readonly snapshot?: true;
}

interface ImportFlags extends TransferFlags {
  readonly abandon?: true;
}

/** `durabletask export` and `durabletask import`. */
export function addTransfer(program: Command, { context, onExit }: CommandHost): void {
  const exporting = program
    .command('export <file>')
    .description(
      'Write task hubs with all that is in them to a file; the scheduler must be stopped',
    )
    .option('--task-hubs <list>', 'Only these, separated by commas (default: all)')
    .option('--snapshot', 'Make a copy although a scheduler runs; what it does next is not in it');
  addStorageFlags(exporting).action(async (file: string, flags: ExportFlags) => {
    await runExport(file, flags, context);
    onExit(EXIT.ok);
  });
  const importing = program
    .command('import [file]')
    .description('Store what a file of export holds; once more after a crash, it goes on')
    .option('--abandon', 'Take back the imports that are not finished');
  addStorageFlags(importing).action(async (file: string | undefined, flags: ImportFlags) => {
    if ((file === undefined) !== (flags.abandon === true)) {
      importing.error('error: name a file, or --abandon', { exitCode: EXIT.wrongUsage });
    }
    await (file === undefined ? runAbandon(flags, context) : runImport(file, flags, context));
    onExit(EXIT.ok);
  });
}

function addStorageFlags(command: Command): Command {
  return command
    .option('--storage <storage>', 'As for start (env: DURABLETASK_STORAGE)')
    .option('--config <file>', 'Configuration file, as for start (env: DURABLETASK_CONFIG)')
    .option('--json', 'Print machine-readable lines');
}

/** Where and how loud, as `start` would have it. */
function surroundings(flags: TransferFlags, { env, cwd, stderr }: CliContext) {
  const { config } = loadServerConfig({
    flags: flags.storage === undefined ? {} : { storage: flags.storage },
    ...{ configFile: flags.config, env, cwd, command: 'start' },
  });
  const json = flags.json === true;
  return {
    storage: config.storage,
    logger: createCliLogger({ level: config.logLevel, json, stderr }),
  };
}

/** A signal ends a transfer between two batches: that is no mistake of the program. */
async function unlessStopped<T>(work: Promise<T>, { stop }: CliContext): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (!stop.aborted) throw cause;
    throw new TaskHubError('UNAVAILABLE', 'stopped before the end; run the same command again', {
      cause,
    });
  }
}

async function runExport(file: string, flags: ExportFlags, context: CliContext): Promise<void> {
  const { exportToFile } = await import('../server/transfer.ts');
  const exporting = exportToFile({
    ...surroundings(flags, context),
    ...{ file, taskHubs: listOf(flags.taskHubs), isSnapshot: flags.snapshot === true },
    ...{ onProgress: progressOf(flags, context), signal: context.stop },
  });
  const { taskHubs, rows } = await unlessStopped(exporting, context);
  report(flags, context, { event: 'exported', file, taskHubs, rows });
}

async function runImport(file: string, flags: ImportFlags, context: CliContext): Promise<void> {
  const { importFromFile } = await import('../server/transfer.ts');
  const importing = importFromFile({
    ...surroundings(flags, context),
    ...{ file, onProgress: progressOf(flags, context), signal: context.stop },
  });
  const { taskHubs, rows, resumedAt } = await unlessStopped(importing, context);
  report(flags, context, { event: 'imported', file, taskHubs, rows, resumedAt });
}

async function runAbandon(flags: ImportFlags, context: CliContext): Promise<void> {
  const { abandonUnfinished } = await import('../server/transfer.ts');
  const taskHubs = await abandonUnfinished(surroundings(flags, context));
  context.stdout(
    flags.json
      ? JSON.stringify({ event: 'abandoned', taskHubs })
      : taskHubs.length === 0
        ? 'No import was unfinished.'
        : `Took back the import of ${taskHubs.join(', ')}.`,
  );
}

function listOf(text: string | undefined): readonly string[] | undefined {
  return text
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

interface Report {
  readonly event: 'exported' | 'imported';
  readonly file: string;
  readonly taskHubs: readonly string[];
  readonly rows: number;
  readonly resumedAt?: number;
}

function report(flags: TransferFlags, { stdout }: CliContext, done: Report): void {
  if (flags.json) {
    stdout(JSON.stringify(done));
    return;
  }
  const { event, file, taskHubs, rows, resumedAt = 0 } = done;
  const went = resumedAt === 0 ? '' : `, going on after batch ${resumedAt} of an earlier attempt`;
  const what = `${rows} rows of ${taskHubs.join(', ')}`;
  stdout(
    event === 'exported'
      ? `Exported ${what} to ${file}.`
      : `Imported ${what} from ${file}${went}. All of it was read again and is what was exported.`,
  );
}

const WORDS = {
  export: 'exported',
  check: 'checked line',
  import: 'imported',
  verify: 'read again',
} as const;
/** Lines of progress come no faster, in ms. */
const PROGRESS_MS = 1000;

/** The first step of each phase, then one a second. */
function progressOf(
  flags: TransferFlags,
  { stdout, stderr }: CliContext,
): (step: TransferStep) => void {
  let phase: string | undefined;
  let toldAt = 0;
  return (step) => {
    const now = systemClock.now();
    if (step.phase === phase && now - toldAt < PROGRESS_MS) return;
    phase = step.phase;
    toldAt = now;
    if (flags.json) stdout(JSON.stringify({ event: 'progress', ...step }));
    else {
      const of = step.phase === 'check' ? '' : ` of ${step.rowsTotal}`;
      stderr(`${WORDS[step.phase]} ${step.rows}${of}`);
    }
  };
}
