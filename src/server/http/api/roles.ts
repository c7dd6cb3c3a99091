/** Role assignments: who may do what, where callers are asked who they are. */
import { z } from 'zod';
import { optional } from '../../../core/optional.ts';
import {
  ASSIGNEE_TYPES,
  BUILT_IN_ROLES,
  parseRole,
  ROLES,
  type Role,
} from '../../../core/roles.ts';
import type { ListedRoleAssignment } from '../../auth/role-assignments.ts';
import { admissionOf } from '../admission.ts';
import type { HttpRoute } from '../http-app.ts';
import {
  roleAssignmentSchema,
  roleAssignmentsSchema,
  type RoleAssignmentJson,
  type RoleAssignmentsJson,
} from './contract.ts';
import { api, iso } from './route.ts';

const ROLE_RULE = `must be one of ${ROLES.join(', ')}, or the name or id of one of the product's roles`;

const wanted = z.strictObject({
  role: z.string().transform((text, context): Role => {
    const role = parseRole(text);
    if (role !== undefined) return role;
    context.addIssue({ code: 'custom', message: ROLE_RULE });
    return z.NEVER;
  }),
  assignee: z.string().min(1).max(500),
  assigneeType: z.enum(ASSIGNEE_TYPES).default('principal'),
  taskHub: z.string().min(1).optional().describe('Absent: the whole scheduler'),
  issuer: z.string().min(1).optional().describe('Needed when there are several'),
});

export const ROLE_ROUTES: readonly HttpRoute[] = [
  api({
    method: 'GET',
    path: '/role-assignments',
    permission: 'manage',
    summary: 'Role assignments of the configuration and of the store',
    answer: roleAssignmentsSchema,
    handle: async ({ options, context }) => {
      const items = (await options.roles.list()).map(assignmentJson);
      return context.json({ items } satisfies RoleAssignmentsJson);
    },
  }),
  api({
    method: 'POST',
    path: '/role-assignments',
    permission: 'manage',
    summary: 'Assigns a role; one that is assigned already is answered as it is',
    body: wanted,
    answer: roleAssignmentSchema,
    status: 201,
    handle: async ({ options, body, context }) => {
      const { role, assignee, assigneeType, taskHub, issuer } = body;
      const by = admissionOf(context)?.caller.principal;
      const created = await options.roles.create(
        { role, assignee, assigneeType, taskHub, issuer },
        by,
      );
      return context.json(assignmentJson(created), 201);
    },
  }),
  api({
    method: 'DELETE',
    path: '/role-assignments/:assignment',
    permission: 'manage',
    summary: 'Takes a role away',
    handle: async ({ options, context }) => {
      const id = context.req.param('assignment') ?? '';
      await options.roles.delete(id);
      return context.json({ id });
    },
  }),
];

function assignmentJson(assignment: ListedRoleAssignment): RoleAssignmentJson {
  const { id, role, issuer, assigneeType, assignee, source } = assignment;
  const { taskHub, createdAt, createdBy } = assignment;
  return {
    ...{ id, role, issuer, assigneeType, assignee, source },
    roleName: BUILT_IN_ROLES[role].name,
    ...optional('taskHub', taskHub),
    ...optional('createdAt', createdAt === undefined ? undefined : iso(createdAt)),
    ...optional('createdBy', createdBy),
  };
}
