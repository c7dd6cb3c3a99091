/** Role assignments: a small table that is read whole. The empty hub name stands for the scheduler. */
import type { AssigneeType, Role } from '../../core/roles.ts';
import type { RoleStore, StoredRoleAssignment } from '../role-store.ts';
import { repeated } from './repeated.ts';
import { readRow } from './rows.ts';
import { unknownHub } from './runner.ts';
import type { SqlDatabase, SqlRow } from './session.ts';

const COLUMNS = 'id, role, issuer, assignee_type, assignee, task_hub, created_at, created_by';
const INSERT = `insert into role_assignments (${COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8)
  on conflict (issuer, assignee_type, assignee, role, task_hub) do nothing`;
const SAME = `select ${COLUMNS} from role_assignments
  where issuer = $1 and assignee_type = $2 and assignee = $3 and role = $4 and task_hub = $5`;

interface AssignmentRow {
  readonly id: string;
  readonly role: Role;
  readonly issuer: string;
  readonly assignee_type: AssigneeType;
  readonly assignee: string;
  readonly task_hub: string;
  readonly created_at: number;
  readonly created_by: string | null;
}

export function createSqlRoles(database: SqlDatabase): RoleStore {
  return {
    list: async () => {
      const rows = await database.read((session) =>
        session.all(`select ${COLUMNS} from role_assignments order by created_at, id`, []),
      );
      return rows.map(decode);
    },
    create: (assignment) => repeated(database, () => create(database, assignment)),
    delete: (id) =>
      repeated(database, () =>
        database.transaction(async (session) => {
          const rows = await session.all(
            'delete from role_assignments where id = $1 returning id',
            [id],
          );
          return rows.length > 0;
        }),
      ),
  };
}

function create(
  database: SqlDatabase,
  assignment: StoredRoleAssignment,
): Promise<StoredRoleAssignment> {
  const { id, role, issuer, assigneeType, assignee, createdAt } = assignment;
  const taskHub = assignment.taskHub ?? '';
  return database.transaction(async (session) => {
    if (taskHub !== '') {
      const hubs = await session.all('select hub from hubs where name = $1', [taskHub]);
      if (hubs.length === 0) throw unknownHub(taskHub);
    }
    const createdBy = assignment.createdBy ?? null;
    await session.run(INSERT, [
      ...[id, role, issuer, assigneeType],
      ...[assignee, taskHub, createdAt, createdBy],
    ]);
    const [row] = await session.all(SAME, [issuer, assigneeType, assignee, role, taskHub]);
    return row ? decode(row) : assignment;
  });
}

function decode(row: SqlRow): StoredRoleAssignment {
  const found = readRow<AssignmentRow>(row);
  return {
    id: found.id,
    role: found.role,
    issuer: found.issuer,
    assigneeType: found.assignee_type,
    assignee: found.assignee,
    taskHub: found.task_hub === '' ? undefined : found.task_hub,
    createdAt: found.created_at,
    createdBy: found.created_by ?? undefined,
  };
}
