import { Option, type Command } from 'commander';
import { ASSIGNEE_TYPES, BUILT_IN_ROLES, ROLES } from '../core/roles.ts';
import { apiCommand, type ApiRun, type CommandHost } from './api-command.ts';
import type { HttpApiFlags } from './http-api.ts';
import { table } from './table.ts';

/** An assignment as the HTTP API answers it. */
interface Assignment {
  readonly id: string;
  readonly roleName: string;
  readonly assigneeType: string;
  readonly assignee: string;
  readonly issuer: string;
  readonly taskHub?: string;
  readonly source: string;
}

interface CreateFlags extends HttpApiFlags {
  readonly role: string;
  readonly assignee: string;
  readonly assigneeType: string;
  readonly taskHubName?: string;
  readonly issuer?: string;
}

interface ListFlags extends HttpApiFlags {
  readonly taskHubName?: string;
  readonly assignee?: string;
}

interface DeleteFlags extends HttpApiFlags {
  readonly id: string;
}

const BASE = '/role-assignments';
const ROLE_NAMES = ROLES.map((role) => BUILT_IN_ROLES[role].name).join(', ');

/** `durabletask role-assignment …`: who may do what with a scheduler. */
export function addRoleAssignment(program: Command, host: CommandHost): void {
  const group = program
    .command('role-assignment')
    .description('Who may do what: roles on the scheduler or on one task hub');
  apiCommand(
    group
      .command('create')
      .description('Assign a role; assigning it twice changes nothing')
      .requiredOption('--role <role>', `${ROLES.join(', ')} (or ${ROLE_NAMES})`)
      .requiredOption(
        '--assignee <id>',
        'Object id (oid, or sub) of a principal or group, or an app role',
      )
      .addOption(
        new Option('--assignee-type <type>', 'What the assignee is')
          .choices(ASSIGNEE_TYPES)
          .default('principal'),
      )
      .option('--task-hub-name <name>', 'Only on this task hub; left out: the whole scheduler')
      .option('--issuer <url>', 'Whose tokens name the assignee; needed when there are several'),
    host,
    create,
  );
  apiCommand(
    group
      .command('list')
      .description('List the role assignments of configuration and store')
      .option('--task-hub-name <name>', 'Only those that count on this task hub')
      .option('--assignee <id>', 'Only those of this assignee'),
    host,
    list,
  );
  apiCommand(
    group
      .command('delete')
      .description('Take a role away')
      .requiredOption('--id <id>', 'Id of the assignment, as list shows it'),
    host,
    remove,
  );
}

async function create({
  call,
  flags,
  context: { stdout },
}: ApiRun<CreateFlags>): Promise<undefined> {
  const { role, assignee, assigneeType, taskHubName: taskHub, issuer } = flags;
  const body = { role, assignee, assigneeType, taskHub, issuer };
  const created = (await call({ method: 'POST', path: BASE, body })) as Assignment;
  stdout(
    flags.json
      ? JSON.stringify(created)
      : `${created.assignee} has the role ${created.roleName} on ${scopeOf(created)} (${created.id}).`,
  );
}

async function list({ call, flags, context: { stdout } }: ApiRun<ListFlags>): Promise<undefined> {
  const { items } = (await call({ method: 'GET', path: BASE })) as { items: Assignment[] };
  const { taskHubName, assignee } = flags;
  const shown = items.filter(
    (each) =>
      (taskHubName === undefined || (each.taskHub ?? taskHubName) === taskHubName) &&
      (assignee === undefined || each.assignee === assignee),
  );
  if (flags.json) {
    for (const each of shown) stdout(JSON.stringify(each));
    return;
  }
  const rows = shown.map((each) => [
    ...[each.id, each.roleName, each.assigneeType, each.assignee],
    ...[each.taskHub ?? '(scheduler)', each.source],
  ]);
  stdout(table(['Id', 'Role', 'Type', 'Assignee', 'Task hub', 'Source'], rows));
}

async function remove({
  call,
  flags,
  context: { stdout },
}: ApiRun<DeleteFlags>): Promise<undefined> {
  await call({ method: 'DELETE', path: `${BASE}/${encodeURIComponent(flags.id)}` });
  stdout(flags.json ? JSON.stringify({ id: flags.id }) : `Deleted ${flags.id}.`);
}

function scopeOf({ taskHub }: Assignment): string {
  return taskHub === undefined ? 'the scheduler' : `task hub '${taskHub}'`;
}
