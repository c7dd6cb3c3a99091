/** `durabletask entity …`: entities of a task hub. */
import type { Command } from 'commander';
import {
  addHubFlag,
  apiCommand,
  hubPath,
  wholeNumber,
  type ApiRun,
  type CommandHost,
  type HubFlags,
} from './api-command.ts';
import { jsonArgument } from './json-argument.ts';
import { table } from './table.ts';

interface ListFlags extends HubFlags {
  readonly prefix?: string;
  readonly modifiedAfter?: string;
  readonly modifiedBefore?: string;
  readonly transient?: true;
  readonly top: number;
  readonly continuationToken?: string;
}

interface EntityFlags extends HubFlags {
  readonly id: string;
}

interface SignalFlags extends EntityFlags {
  readonly operationName: string;
  readonly input?: string;
  readonly startAt?: string;
}

/** An entity as the HTTP API answers it. */
interface Row {
  readonly id: string;
  readonly statePreview?: string;
  readonly stateBytes?: number;
  readonly backlog: number;
  readonly lockedBy?: string;
  readonly modifiedAt: string;
}

interface Page {
  readonly items: readonly Row[];
  readonly next?: string;
}

const PAGE_MAX = 200;
const TOP_DEFAULT = 100;
/** Characters of a state in a list. */
const PREVIEW = 40;

export function addEntity(program: Command, host: CommandHost): void {
  const group = program.command('entity').description('Entities: list, show, signal, clean');
  apiCommand<ListFlags>(
    addHubFlag(group.command('list').description('List entities, in the order of their ids'))
      .option('--prefix <id>', 'Beginning of the id: @name@key')
      .option('--modified-after <time>', 'RFC 3339, or relative: -15m, -1h, -7d')
      .option('--modified-before <time>', 'As above')
      .option('--transient', 'Those too that have no state but messages or a lock')
      .option('--top <count>', 'How many at most', wholeNumber(1, 1_000_000), TOP_DEFAULT)
      .option('--continuation-token <token>', 'Go on where an earlier list ended'),
    host,
    list,
  );
  apiCommand(
    addEntityFlags(group.command('show').description('Show an entity with its state')),
    host,
    show,
  );
  apiCommand(
    addEntityFlags(group.command('signal').description('Send an operation, without a result'))
      .requiredOption('--operation-name <name>', 'Name of the operation')
      .option('--input <json>', 'Its input as JSON, or @file')
      .option('--start-at <time>', 'Not before this time (RFC 3339)'),
    host,
    signal,
  );
  apiCommand(
    addHubFlag(group.command('clean').description('Release locks of orchestrations that are over')),
    host,
    clean,
  );
}

function addEntityFlags(command: Command): Command {
  return addHubFlag(command).requiredOption('--id <id>', 'Entity id: @name@key');
}

function entityPath(run: ApiRun<EntityFlags>): string {
  return `${hubPath(run)}/entities/${encodeURIComponent(run.flags.id)}`;
}

async function list(run: ApiRun<ListFlags>): Promise<undefined> {
  const { flags, context } = run;
  let left = flags.top;
  let next = flags.continuationToken;
  const rows: (readonly string[])[] = [];
  do {
    const page = await readPage(run, next, Math.min(left, PAGE_MAX));
    ({ next } = page);
    left -= page.items.length;
    for (const row of page.items) {
      if (flags.json) context.stdout(JSON.stringify(row));
      else rows.push(cells(row));
    }
  } while (left > 0 && next !== undefined && !context.stop.aborted);
  if (!flags.json) {
    const headings = ['Id', 'State', 'Backlog', 'Locked by', 'Modified'];
    context.stdout(rows.length === 0 ? 'No entity matches.' : table(headings, rows));
  }
  if (next !== undefined) context.stderr(`There are more: --continuation-token ${next}`);
}

function cells({ id, statePreview = '', backlog, lockedBy = '', modifiedAt }: Row) {
  const isCut = statePreview.length > PREVIEW;
  const state = isCut ? `${statePreview.slice(0, PREVIEW - 1)}…` : statePreview;
  return [id, state, String(backlog), lockedBy, modifiedAt];
}

async function readPage(
  { call, flags, context }: ApiRun<ListFlags>,
  cursor: string | undefined,
  size: number,
): Promise<Page> {
  const asked = {
    ...{ prefix: flags.prefix, modifiedFrom: flags.modifiedAfter },
    ...{ modifiedTo: flags.modifiedBefore, transient: flags.transient && 'true' },
    ...{ size: String(size), cursor },
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) {
    if (value !== undefined) query.set(name, value);
  }
  const path = `${hubPath({ flags, context })}/entities?${query.toString()}`;
  return (await call({ method: 'GET', path })) as Page;
}

async function show(run: ApiRun<EntityFlags>): Promise<undefined> {
  const { call, flags, context } = run;
  const path = entityPath(run);
  const { entity } = (await call({ method: 'GET', path })) as { entity: Row };
  const { statePreview, ...rest } = entity;
  const state =
    statePreview === undefined
      ? undefined
      : String(await call({ method: 'GET', path: `${path}/state`, isText: true }));
  if (flags.json) {
    context.stdout(JSON.stringify({ ...rest, state }));
    return;
  }
  context.stdout(
    table(
      ['Id', entity.id],
      [
        ['State', state ?? '(none)'],
        ['Backlog', String(entity.backlog)],
        ['Locked by', entity.lockedBy ?? '(nobody)'],
        ['Modified', entity.modifiedAt],
      ],
    ),
  );
}

async function signal(run: ApiRun<SignalFlags>): Promise<undefined> {
  const { call, flags, context } = run;
  const { id, operationName: operation } = flags;
  const input = jsonArgument('--input', flags.input, context.cwd);
  const body = { operation, input, scheduledAt: flags.startAt };
  await call({ method: 'POST', path: `${entityPath(run)}/signal`, body });
  context.stdout(flags.json ? JSON.stringify({ id, operation }) : `${id}: '${operation}' sent.`);
}

/** In pages, until all is done or the command is told to stop. */
async function clean(run: ApiRun<HubFlags>): Promise<undefined> {
  const { call, flags, context } = run;
  let locksReleased = 0;
  let cursor: string | undefined;
  do {
    const path = `${hubPath(run)}/entities/clean`;
    const page = (await call({ method: 'POST', path, body: { cursor } })) as {
      readonly locksReleased: number;
      readonly next?: string;
    };
    locksReleased += page.locksReleased;
    cursor = page.next;
  } while (cursor !== undefined && !context.stop.aborted);
  context.stdout(
    flags.json ? JSON.stringify({ locksReleased }) : `${locksReleased} orphaned locks released.`,
  );
}
