/** `durabletask instance suspend|resume|terminate|…`: on one, on several, on everything that a filter matches. */
import { Option, type Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import { ConfigError } from '../config/load-server-config.ts';
import {
  addHubFlag,
  apiCommand,
  collected,
  hubPath,
  type ApiRun,
  type CommandHost,
} from './api-command.ts';
import { EXIT } from './cli-context.ts';
import {
  addFilterFlags,
  apiFilter,
  filterQuery,
  hasFilter,
  type FilterFlags,
} from './instance-filter.ts';

interface ActionFlags extends FilterFlags {
  readonly id?: readonly string[];
  readonly all?: true;
  readonly yes?: true;
  readonly reason?: string;
  readonly recursive?: true;
  readonly newId?: true;
}

interface Action {
  readonly name: string;
  readonly description: string;
  /** Name in `func durable`, where it is another. */
  readonly alias?: string;
  readonly options: readonly Option[];
}

const REASON = new Option('--reason <text>', 'Why; kept in the history');
const RECURSIVE = new Option('--recursive', 'Sub-orchestrations too');
const NEW_ID = new Option('--new-id', 'Under a new id, beside the old one');

const ACTIONS: readonly Action[] = [
  { name: 'suspend', description: 'Suspend at the next turn', options: [REASON] },
  { name: 'resume', description: 'Resume what is suspended', options: [REASON] },
  { name: 'terminate', description: 'Terminate at the next turn', options: [REASON, RECURSIVE] },
  {
    name: 'force-terminate',
    description: 'End the record at once, without running its code',
    options: [REASON],
  },
  { name: 'restart', description: 'Start again with the same input', options: [NEW_ID] },
  { name: 'rewind', description: 'Run what failed again from where it failed', options: [REASON] },
  {
    name: 'purge',
    description: 'Delete what has ended',
    alias: 'purge-history',
    options: [RECURSIVE],
  },
];

interface Job {
  readonly id: string;
  readonly state: string;
  readonly total: number;
  readonly isTotalCapped: boolean;
  readonly done: number;
  readonly skipped: number;
  readonly failed: number;
  readonly error?: string;
}

interface JobResult {
  readonly id: string;
  readonly outcome: string;
  readonly detail: string;
}

const POLL_MS = 250;
/** The wait goes on after Ctrl+C: the job is told, and says how it ended. */
const NEVER = new AbortController().signal;
const PROGRESS_MS = 2000;
const ENDED: ReadonlySet<string> = new Set(['completed', 'cancelled', 'failed']);

export function addInstanceActions(group: Command, host: CommandHost): void {
  for (const { name, description, alias, options } of ACTIONS) {
    const command = addHubFlag(group.command(name).description(description))
      .option('--id <id>', 'Instance id; may be repeated', collected)
      .option('--all', 'Every orchestration of the task hub')
      .option('-y, --yes', 'Do it to all that match, without showing how many first');
    if (alias !== undefined) command.alias(alias);
    for (const option of options) command.addOption(option);
    apiCommand<ActionFlags>(addFilterFlags(command), host, (run) => act(name, run));
  }
}

async function act(action: string, run: ApiRun<ActionFlags>): Promise<number> {
  const { call, flags, context } = run;
  const filter = apiFilter(flags);
  const isFiltered = hasFilter(flags) || flags.all === true;
  const ids = flags.id ?? [];
  if (ids.length > 0 === isFiltered) {
    throw new ConfigError([
      `instance ${action} needs either --id, or a filter such as --runtime-status, or --all for the whole task hub.`,
    ]);
  }
  const { reason, recursive, newId } = flags;
  const args = { reason, recursive, newId };
  const [id = ''] = ids;
  if (ids.length === 1) {
    const path = `${hubPath(run)}/orchestrations/${encodeURIComponent(id)}/${action}`;
    const done = (await call({ method: 'POST', path, body: args })) as { readonly id?: string };
    const under = done.id === undefined || done.id === id ? '' : ` New id: ${done.id}.`;
    context.stdout(
      flags.json ? JSON.stringify({ id, action, ...done }) : `${id}: ${action} accepted.${under}`,
    );
    return EXIT.ok;
  }
  if (isFiltered && !flags.yes) return await refuse(action, run);
  const body = { action, args, ...(isFiltered ? { filter } : { ids }) };
  const path = `${hubPath(run)}/bulk-jobs`;
  return await follow((await call({ method: 'POST', path, body })) as Job, { action, run });
}

/** Says what would be touched. */
async function refuse(action: string, run: ApiRun<ActionFlags>): Promise<number> {
  const query = filterQuery(apiFilter(run.flags));
  const path = `${hubPath(run)}/orchestrations/count?${query.toString()}`;
  const { count, isCapped } = (await run.call({ method: 'GET', path })) as {
    count: number;
    isCapped: boolean;
  };
  run.context.stderr(
    `durabletask: ${count}${isCapped ? ' or more' : ''} orchestrations match; add --yes to ${action} them.`,
  );
  return EXIT.wrongUsage;
}

/** Reports how far a bulk job is until it has ended; the first Ctrl+C leaves the rest untouched. */
async function follow(
  started: Job,
  { action, run }: { readonly action: string; readonly run: ApiRun<ActionFlags> },
): Promise<number> {
  const { call, flags, context } = run;
  const path = `${hubPath(run)}/bulk-jobs/${started.id}`;
  let job = started;
  let isCancelling = false;
  let nextReportAt = systemClock.now() + PROGRESS_MS;
  while (!ENDED.has(job.state)) {
    if (context.stop.aborted && !isCancelling) {
      isCancelling = true;
      await call({ method: 'POST', path: `${path}/cancel`, body: {} });
    }
    await systemClock.sleepUntil(systemClock.now() + POLL_MS, { signal: NEVER });
    job = (await call({ method: 'GET', path })) as Job;
    if (systemClock.now() >= nextReportAt) {
      nextReportAt += PROGRESS_MS;
      context.stderr(`${action}: ${sentence(job)}`);
    }
  }
  const { items } = (await call({ method: 'GET', path: `${path}/results` })) as {
    items: JobResult[];
  };
  for (const { id, outcome, detail } of items) context.stderr(`${id}: ${outcome}, ${detail}`);
  context.stdout(flags.json ? JSON.stringify(job) : `${action} ${job.state}: ${sentence(job)}.`);
  if (job.error !== undefined) context.stderr(`durabletask: ${job.error}`);
  const left = job.failed + (flags.id === undefined ? 0 : job.skipped);
  return job.state === 'completed' && left === 0 ? EXIT.ok : EXIT.failed;
}

function sentence({ done, skipped, failed, total, isTotalCapped }: Job): string {
  return `${done} of ${total}${isTotalCapped ? '+' : ''} done, ${skipped} skipped, ${failed} failed`;
}
