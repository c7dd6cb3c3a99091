import type { Command } from 'commander';
import {
  addHubFlag,
  apiCommand,
  collected,
  hubPath,
  wholeNumber,
  type ApiRun,
  type CommandHost,
} from './api-command.ts';
import { addFilterFlags, apiFilter, filterQuery, type FilterFlags } from './instance-filter.ts';
import { table } from './table.ts';

interface ListFlags extends FilterFlags {
  readonly id?: readonly string[];
  readonly top: number;
  readonly sort?: string;
  readonly continuationToken?: string;
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly failure?: { readonly message: string };
}

interface Page {
  readonly items: readonly Row[];
  readonly next?: string;
}

const PAGE_MAX = 200;
const TOP_DEFAULT = 100;

/** `durabletask instance list`: pages through a task hub. */
export function addInstanceList(group: Command, host: CommandHost): void {
  apiCommand<ListFlags>(
    addFilterFlags(
      addHubFlag(
        group.command('list').alias('get-instances').description('List orchestrations'),
      ).option('--id <id>', 'Instance id, or a prefix followed by *; may be repeated', collected),
    )
      .option('--top <count>', 'How many at most', wholeNumber(1, 1_000_000), TOP_DEFAULT)
      .option('--sort <order>', '-created (default), created, -completed, completed, id, -id')
      .option('--continuation-token <token>', 'Go on where an earlier list ended'),
    host,
    list,
  );
}

async function list(run: ApiRun<ListFlags>): Promise<undefined> {
  const { flags, context } = run;
  let left = flags.top;
  let page: Page = { items: [], ...nextOf(flags.continuationToken) };
  const rows: (readonly string[])[] = [];
  do {
    page = await readPage(run, page.next, Math.min(left, PAGE_MAX));
    left -= page.items.length;
    for (const row of page.items) {
      if (flags.json) context.stdout(JSON.stringify(row));
      else rows.push([row.id, row.name, row.status, row.createdAt, row.updatedAt]);
    }
  } while (left > 0 && page.next !== undefined && !context.stop.aborted);
  if (!flags.json) {
    context.stdout(
      rows.length === 0
        ? 'No orchestration matches.'
        : table(['Id', 'Name', 'Status', 'Created', 'Updated'], rows),
    );
  }
  if (page.next !== undefined) {
    context.stderr(`There are more: --continuation-token ${page.next}`);
  }
}

function nextOf(token: string | undefined): Pick<Page, 'next'> {
  return token === undefined ? {} : { next: token };
}

async function readPage(
  run: ApiRun<ListFlags>,
  cursor: string | undefined,
  size: number,
): Promise<Page> {
  const { flags } = run;
  const query = filterQuery(apiFilter(flags));
  for (const id of flags.id ?? []) query.append('id', id);
  if (flags.sort !== undefined) query.set('sort', flags.sort);
  if (cursor !== undefined) query.set('cursor', cursor);
  query.set('size', String(size));
  const path = `${hubPath(run)}/orchestrations?${query.toString()}`;
  return (await run.call({ method: 'GET', path })) as Page;
}
