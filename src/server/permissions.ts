import { BUILT_IN_ROLES, ROLES, type Role, type RoleAssignment } from '../core/roles.ts';

/**
 * What a caller must be allowed to do. Every RPC and HTTP route declares one.
 *
 * - `none`: tells nothing about any task hub (liveness of the process, the start page).
 * - `known`: a caller with a token that counts; what they are shown is up to the route.
 * - `connect`: any role on the task hub will do (the greeting that every client and worker sends).
 * - `read`, `write`: data of the task hub.
 * - `work`: receive and finish work items.
 * - `inspect`: read what concerns the scheduler itself: retention, configuration. Never a matter of one hub.
 * - `manage`: the scheduler itself: task hubs and role assignments. Never a matter of one hub.
 */
export type Permission =
  'none' | 'known' | 'connect' | 'read' | 'write' | 'work' | 'inspect' | 'manage';

/** As in the product: a worker reads nothing but the work that it is given. */
const ALLOWED: Readonly<Record<Role, readonly Permission[]>> = {
  contributor: ['connect', 'read', 'write', 'work', 'inspect', 'manage'],
  reader: ['connect', 'read', 'inspect'],
  worker: ['connect', 'work'],
};

/** Whether one assignment allows something; `taskHub` is `undefined` for what concerns no single hub. */
export function allows(
  { role, taskHub: scope }: Pick<RoleAssignment, 'role' | 'taskHub'>,
  permission: Permission,
  taskHub: string | undefined,
): boolean {
  if (!ALLOWED[role].includes(permission)) return false;
  if (scope === undefined) return true;
  return !isOfScheduler(permission) && scope === taskHub;
}

/** Allowed only by an assignment on the scheduler, whichever hub a request names. */
export function isOfScheduler(permission: Permission): boolean {
  return permission === 'manage' || permission === 'inspect';
}

/** The full names of the roles that allow something. */
export function rolesFor(permission: Permission): readonly string[] {
  return ROLES.filter((role) => ALLOWED[role].includes(permission)).map(
    (role) => BUILT_IN_ROLES[role].name,
  );
}
