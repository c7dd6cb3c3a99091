import { Option, type Command } from 'commander';
import { collected, type HubFlags } from './api-command.ts';

/** Which orchestrations a command is about; the API knows the rules of the values. */
export interface FilterFlags extends HubFlags {
  readonly runtimeStatus?: readonly string[];
  readonly functionName?: readonly string[];
  /** Named `--function-version`, because `--version` is the program's own. */
  readonly functionVersion?: readonly string[];
  readonly tag?: readonly string[];
  readonly createdAfter?: string;
  readonly createdBefore?: string;
  readonly completedAfter?: string;
  readonly completedBefore?: string;
  readonly parent?: string;
  readonly children: string;
  readonly errorType?: readonly string[];
  readonly errorText?: string;
}

const TIME = 'RFC 3339, or relative like -1h';

export function addFilterFlags(command: Command): Command {
  return command
    .option('--runtime-status <status>', 'Status; may be repeated, or with commas', collected)
    .option('--function-name <name>', 'Name, or a prefix followed by *; may be repeated', collected)
    .option('--function-version <version>', 'Version; may be repeated', collected)
    .option('--tag <key=value>', 'Tag: key=value, key= or =value; all of them', collected)
    .option('--created-after <time>', `Created at or after (${TIME})`)
    .option('--created-before <time>', `Created before (${TIME})`)
    .option('--completed-after <time>', `Ended at or after (${TIME})`)
    .option('--completed-before <time>', `Ended before (${TIME})`)
    .option('--parent <id>', 'Direct children of this instance')
    .addOption(
      new Option('--children <which>', 'Sub-orchestrations; fold leaves them out')
        .choices(['show', 'fold', 'only'])
        .default('show'),
    )
    .option('--error-type <type>', 'Type of the failure; may be repeated', collected)
    .option('--error-text <text>', 'In the message of the failure');
}

/** The API's filter; names as in its list. */
export type ApiFilter = Readonly<Record<string, string | readonly string[]>>;

/** Whether anything narrows the list; sub-orchestrations alone do not. */
export function hasFilter(flags: FilterFlags): boolean {
  return Object.keys(apiFilter(flags)).length > 1;
}

/** Only what was asked for. */
export function apiFilter(flags: FilterFlags): ApiFilter {
  const asked: Readonly<Record<string, string | readonly string[] | undefined>> = {
    status: flags.runtimeStatus,
    name: flags.functionName,
    version: flags.functionVersion,
    tag: flags.tag,
    createdFrom: flags.createdAfter,
    createdTo: flags.createdBefore,
    completedFrom: flags.completedAfter,
    completedTo: flags.completedBefore,
    parent: flags.parent,
    children: flags.children,
    errorType: flags.errorType,
    errorText: flags.errorText,
  };
  return Object.fromEntries(
    Object.entries(asked).filter(([, value]) => value !== undefined),
  ) as ApiFilter;
}

/** `filter` as a query string, to which more may be added. */
export function filterQuery(filter: ApiFilter): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) {
    for (const each of typeof value === 'string' ? [value] : value) query.append(name, each);
  }
  return query;
}
