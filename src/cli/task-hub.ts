import type { Command } from 'commander';
import { apiCommand, type ApiRun, type CommandHost } from './api-command.ts';
import { EXIT } from './cli-context.ts';
import type { HttpApiFlags } from './http-api.ts';
import { table } from './table.ts';

interface NameFlags extends HttpApiFlags {
  readonly name: string;
}
interface DeleteFlags extends NameFlags {
  readonly yes?: true;
}

interface Count {
  readonly count: number;
  readonly isCapped: boolean;
}

/** A task hub as the HTTP API answers it. */
interface Hub {
  readonly name: string;
  readonly workers: number;
  readonly active: Count;
  readonly failed: Count;
  readonly pending: number;
  readonly unclaimed: number;
}

/** A task hub's figures as the HTTP API answers them. */
interface Summary {
  readonly counts: Readonly<Record<string, Count>>;
  readonly workers: number;
  readonly active: Readonly<Record<string, number>>;
  readonly backlog: readonly { readonly pending: number }[];
  readonly parked: number;
}

/** `durabletask taskhub …`: task hubs of a scheduler. */
export function addTaskHub(program: Command, host: CommandHost): void {
  const group = program.command('taskhub').description('Task hubs: create, show, list, delete');
  const named = (name: string, description: string): Command =>
    group
      .command(name)
      .description(description)
      .requiredOption('-n, --name <name>', 'Name of the task hub');
  apiCommand(named('create', 'Create a task hub; one that exists stays as it is'), host, create);
  apiCommand(named('show', 'Show what is in a task hub'), host, show);
  apiCommand(group.command('list').description('List the task hubs'), host, list);
  apiCommand(
    named('delete', 'Delete a task hub and everything in it').option('-y, --yes', 'Do it'),
    host,
    remove,
  );
}

const pathOf = ({ name }: NameFlags): string => `/hubs/${encodeURIComponent(name)}`;

async function create({ call, flags, context }: ApiRun<NameFlags>): Promise<undefined> {
  const { name } = flags;
  await call({ method: 'POST', path: '/hubs', body: { name } });
  context.stdout(flags.json ? JSON.stringify({ name }) : `Task hub '${name}' is there.`);
}

async function show({ call, flags, context }: ApiRun<NameFlags>): Promise<undefined> {
  const summary = (await call({ method: 'GET', path: `${pathOf(flags)}/summary` })) as Summary;
  if (flags.json) {
    context.stdout(JSON.stringify(summary));
    return;
  }
  const rows: (readonly [string, string])[] = [
    ...Object.entries(summary.counts).map(
      ([status, count]) => [status, capped(count)] as [string, string],
    ),
    ['Work items waiting', String(summary.backlog.reduce((sum, each) => sum + each.pending, 0))],
    ['Work items active', String(Object.values(summary.active).reduce((sum, n) => sum + n, 0))],
    ['Work items parked', String(summary.parked)],
    ['Workers', String(summary.workers)],
  ];
  context.stdout(table(['Task hub', flags.name], rows));
}

async function list({ call, flags, context }: ApiRun<HttpApiFlags>): Promise<undefined> {
  const { items } = (await call({ method: 'GET', path: '/hubs' })) as { items: Hub[] };
  if (flags.json) {
    for (const each of items) context.stdout(JSON.stringify(each));
    return;
  }
  const rows = items.map((hub) => [
    ...[hub.name, capped(hub.active), capped(hub.failed)],
    ...[String(hub.pending), String(hub.unclaimed), String(hub.workers)],
  ]);
  context.stdout(table(['Name', 'Active', 'Failed', 'Waiting', 'Unclaimed', 'Workers'], rows));
}

async function remove({ call, flags, context }: ApiRun<DeleteFlags>): Promise<number> {
  if (!flags.yes) {
    context.stderr(
      `durabletask: This deletes task hub '${flags.name}' with all its instances and entities; add --yes to do it.`,
    );
    return EXIT.wrongUsage;
  }
  await call({ method: 'DELETE', path: pathOf(flags) });
  const { name } = flags;
  context.stdout(flags.json ? JSON.stringify({ name }) : `Deleted task hub '${name}'.`);
  return EXIT.ok;
}

function capped({ count, isCapped }: Count): string {
  return isCapped ? `${count}+` : String(count);
}
