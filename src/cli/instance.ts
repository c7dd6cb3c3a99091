/** `durabletask instance …`: orchestrations of a task hub; options and aliases as in `func durable`. */
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import {
  addHubFlag,
  apiCommand,
  collected,
  hubPath,
  wholeNumber,
  type ApiRun,
  type CommandHost,
  type HubFlags,
} from './api-command.ts';
import { ConfigError } from '../config/load-server-config.ts';
import { EXIT } from './cli-context.ts';
import { addInstanceActions } from './instance-actions.ts';
import { addInstanceHistory } from './instance-history.ts';
import { addInstanceList } from './instance-list.ts';
import { addInstanceFlags, instancePath, type InstanceFlags } from './instance-path.ts';
import { jsonArgument } from './json-argument.ts';
import { table } from './table.ts';

interface StartFlags extends HubFlags {
  readonly functionName: string;
  readonly id?: string;
  readonly input?: string;
  readonly functionVersion?: string;
  readonly startAt?: string;
  readonly tag?: readonly string[];
  readonly replaceFinished?: true;
}

interface ShowFlags extends InstanceFlags {
  readonly showInput?: true;
  readonly showOutput?: true;
}

interface WaitFlags extends InstanceFlags {
  readonly timeout?: number;
}

interface RaiseFlags extends InstanceFlags {
  readonly eventName: string;
  readonly eventData?: string;
}

/** An orchestration as the HTTP API answers it. */
interface Instance {
  readonly instance: {
    readonly id: string;
    readonly name: string;
    readonly version: string;
    readonly status: string;
    readonly createdAt: string;
    readonly updatedAt: string;
    readonly completedAt?: string;
    readonly scheduledAt?: string;
    readonly parentId?: string;
    readonly executionId: string;
    readonly tags: Readonly<Record<string, string>>;
    readonly customStatusPreview?: string;
    readonly failure?: { readonly type: string; readonly message: string };
  };
  readonly sizes: Readonly<Record<string, number>>;
}

const ENDED: ReadonlySet<string> = new Set(['Completed', 'Failed', 'Terminated', 'Canceled']);
const POLL_MS = 500;

export function addInstance(program: Command, host: CommandHost): void {
  const group = program
    .command('instance')
    .description('Orchestrations: start, list, show, wait, raise-event, terminate, rewind, …');
  apiCommand(
    addHubFlag(group.command('start').alias('start-new').description('Start an orchestration'))
      .requiredOption('--function-name <name>', 'Name of the orchestrator')
      .option('--id <id>', 'Instance id; left out: a new one')
      .option('--input <json>', 'Input as JSON, or @file')
      .option('--function-version <version>', 'Version')
      .option('--start-at <time>', 'Not before this time (RFC 3339)')
      .option('--tag <key=value>', 'Tag; may be repeated', collected)
      .option('--replace-finished', 'Replace an instance of this id that has ended'),
    host,
    start,
  );
  addInstanceList(group, host);
  apiCommand(
    addInstanceFlags(
      group.command('show').alias('get-runtime-status').description('Show an orchestration'),
    )
      .option('--show-input', 'Its input too')
      .option('--show-output', 'Its output, or failure, too'),
    host,
    show,
  );
  addInstanceHistory(group, host);
  apiCommand(
    addInstanceFlags(
      group.command('wait').description('Wait until it has ended; exit code 0 if it completed'),
    ).option('--timeout <seconds>', 'How long at most', wholeNumber(1, 86_400 * 365)),
    host,
    wait,
  );
  apiCommand(
    addInstanceFlags(group.command('raise-event').description('Deliver an event'))
      .requiredOption('--event-name <name>', 'Name of the event')
      .option('--event-data <json>', 'Its data as JSON, or @file'),
    host,
    raiseEvent,
  );
  addInstanceActions(group, host);
}

async function start(run: ApiRun<StartFlags>): Promise<undefined> {
  const { call, flags, context } = run;
  const body = {
    name: flags.functionName,
    id: flags.id,
    version: flags.functionVersion,
    input: jsonArgument('--input', flags.input, context.cwd),
    scheduledAt: flags.startAt,
    tags: tagsOf(flags.tag ?? []),
    ifExists: flags.replaceFinished ? 'replaceFinished' : 'refuse',
  };
  const path = `${hubPath(run)}/orchestrations`;
  const { id } = (await call({ method: 'POST', path, body })) as { id: string };
  context.stdout(flags.json ? JSON.stringify({ id }) : `Started '${flags.functionName}': ${id}`);
}

function tagsOf(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      throw new ConfigError([`--tag must be key=value, got '${text}'.`]);
    }),
  );
}

async function show(run: ApiRun<ShowFlags>): Promise<undefined> {
  const { call, flags, context } = run;
  const path = instancePath(run);
  const found = (await call({ method: 'GET', path })) as Instance;
  const { instance, sizes } = found;
  const text = async (part: string): Promise<string> =>
    String(await call({ method: 'GET', path: `${path}/data/${part}`, isText: true }));
  const input = flags.showInput && sizes['input'] !== undefined ? await text('input') : undefined;
  const result = instance.status === 'Failed' ? 'failure' : 'output';
  const isThere = result === 'failure' || sizes['output'] !== undefined;
  const output = flags.showOutput && isThere ? await text(result) : undefined;
  if (flags.json) {
    context.stdout(JSON.stringify({ ...instance, sizes, input, [result]: output }));
    return;
  }
  const { failure, tags } = instance;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['Name', instance.name],
    ['Version', instance.version || undefined],
    ['Status', instance.status],
    ['Created', instance.createdAt],
    ['Scheduled', instance.scheduledAt],
    ['Updated', instance.updatedAt],
    ['Ended', instance.completedAt],
    ['Parent', instance.parentId],
    ['Execution', instance.executionId],
    ['Tags', joined(tags)],
    ['Custom status', instance.customStatusPreview],
    ['Failure', failure && `${failure.type}: ${failure.message}`],
    ['Input', input ?? bytes(sizes['input'])],
    ['Output', result === 'output' ? (output ?? bytes(sizes['output'])) : undefined],
    ['Details', result === 'failure' ? output : undefined],
  ];
  const lines = rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  context.stdout(table(['Id', instance.id], lines));
}

function joined(tags: Readonly<Record<string, string>>): string | undefined {
  const all = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
  return all.length === 0 ? undefined : all.join(', ');
}

function bytes(size: number | undefined): string | undefined {
  return size === undefined ? undefined : `${size} bytes`;
}

async function wait(run: ApiRun<WaitFlags>): Promise<number> {
  const { call, flags, context } = run;
  const path = instancePath(run);
  const until = systemClock.now() + (flags.timeout ?? Infinity) * 1000;
  for (;;) {
    const { instance } = (await call({ method: 'GET', path })) as Instance;
    const { id, status, failure } = instance;
    if (ENDED.has(status)) {
      const why = failure ? ` (${failure.type}: ${failure.message})` : '';
      context.stdout(flags.json ? JSON.stringify(instance) : `${id}: ${status}${why}`);
      return status === 'Completed' ? EXIT.ok : EXIT.failed;
    }
    if (context.stop.aborted || systemClock.now() + POLL_MS > until) {
      context.stderr(`durabletask: ${id} has not ended, it is ${status}.`);
      return EXIT.failed;
    }
    await paused(context.stop);
  }
}

/** Half a second, or less when told to stop. */
async function paused(signal: AbortSignal): Promise<void> {
  try {
    await systemClock.sleepUntil(systemClock.now() + POLL_MS, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function raiseEvent(run: ApiRun<RaiseFlags>): Promise<undefined> {
  const { call, flags, context } = run;
  const { id, eventName: name } = flags;
  const data = jsonArgument('--event-data', flags.eventData, context.cwd);
  await call({ method: 'POST', path: `${instancePath(run)}/raise-event`, body: { name, data } });
  context.stdout(flags.json ? JSON.stringify({ id, name }) : `${id}: event '${name}' delivered.`);
}
