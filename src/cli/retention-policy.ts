import type { Command } from 'commander';
import { ConfigError } from '../config/load-server-config.ts';
import { apiCommand, wholeNumber, type ApiRun, type CommandHost } from './api-command.ts';
import type { HttpApiFlags } from './http-api.ts';
import { table } from './table.ts';

/** The policy as the HTTP API knows it. */
interface Policy {
  readonly retentionPolicies: readonly {
    readonly retentionPeriodInDays: number;
    readonly orchestrationState?: string;
  }[];
}

interface CreateFlags extends HttpApiFlags {
  readonly defaultDays?: number;
  readonly completedDays?: number;
  readonly failedDays?: number;
  readonly canceledDays?: number;
  readonly terminatedDays?: number;
}

const PATH = '/retention';
const DAYS_MAX = 90;

/** `durabletask retention-policy …`: how long ended orchestrations are kept; options as in `az durabletask`. */
export function addRetentionPolicy(program: Command, host: CommandHost): void {
  const group = program
    .command('retention-policy')
    .description('How long ended orchestrations are kept');
  const days = wholeNumber(0, DAYS_MAX);
  apiCommand(
    group
      .command('create')
      .description('Set the policy; statuses without days follow --default-days, or are kept')
      .option('-d, --default-days <days>', 'Every ended status without days of its own', days)
      .option('-c, --completed-days <days>', 'Completed', days)
      .option('-f, --failed-days <days>', 'Failed', days)
      .option('-x, --canceled-days <days>', 'Canceled', days)
      .option('-t, --terminated-days <days>', 'Terminated', days),
    host,
    create,
  );
  apiCommand(group.command('show').description('Show the policy'), host, show);
  apiCommand(group.command('delete').description('Keep everything from now on'), host, remove);
}

async function create({ call, flags, context }: ApiRun<CreateFlags>): Promise<undefined> {
  const rules: readonly (readonly [string | undefined, number | undefined])[] = [
    [undefined, flags.defaultDays],
    ['Completed', flags.completedDays],
    ['Failed', flags.failedDays],
    ['Canceled', flags.canceledDays],
    ['Terminated', flags.terminatedDays],
  ];
  const retentionPolicies = rules.flatMap(([orchestrationState, retentionPeriodInDays]) =>
    retentionPeriodInDays === undefined ? [] : [{ retentionPeriodInDays, orchestrationState }],
  );
  if (retentionPolicies.length === 0) {
    throw new ConfigError([
      'retention-policy create needs days: --default-days, --completed-days, --failed-days, --canceled-days or --terminated-days.',
    ]);
  }
  const body = { retentionPolicies };
  print((await call({ method: 'PUT', path: PATH, body })) as Policy, { flags, context });
}

async function show({ call, flags, context }: ApiRun<HttpApiFlags>): Promise<undefined> {
  print((await call({ method: 'GET', path: PATH })) as Policy, { flags, context });
}

async function remove({ call, flags, context }: ApiRun<HttpApiFlags>): Promise<undefined> {
  print((await call({ method: 'DELETE', path: PATH })) as Policy, { flags, context });
}

function print(
  policy: Policy,
  { flags, context }: Pick<ApiRun<HttpApiFlags>, 'flags' | 'context'>,
): void {
  if (flags.json) {
    context.stdout(JSON.stringify(policy));
    return;
  }
  const { retentionPolicies: rules } = policy;
  const rows = rules.map(({ orchestrationState = '(all others)', retentionPeriodInDays }) => [
    orchestrationState,
    String(retentionPeriodInDays),
  ]);
  context.stdout(rows.length === 0 ? 'Everything is kept.' : table(['Status', 'Days'], rows));
}
