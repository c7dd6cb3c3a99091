import type { RoleAssignment } from '../../core/roles.ts';
import { allows, type Permission } from '../permissions.ts';
import { assigneesOf, type Caller } from './caller.ts';

/** The role assignments there are, found by who they are for. */
export class RoleBook {
  #byAssignee = new Map<string, RoleAssignment[]>();
  /** What each caller was found to have; a new one for each change of the assignments. */
  #ofCallers = new WeakMap<Caller, readonly RoleAssignment[]>();

  constructor(assignments: readonly RoleAssignment[]) {
    this.replace(assignments);
  }

  replace(assignments: readonly RoleAssignment[]): void {
    this.#byAssignee = Map.groupBy(assignments, ({ issuer, assigneeType, assignee }) =>
      keyOf(issuer, assigneeType, assignee),
    );
    this.#ofCallers = new WeakMap();
  }

  /** `taskHub` is `undefined` for what concerns no single hub. */
  permits(caller: Caller, permission: Permission, taskHub: string | undefined): boolean {
    return this.#assignmentsOf(caller).some((each) => allows(each, permission, taskHub));
  }

  #assignmentsOf(caller: Caller): readonly RoleAssignment[] {
    const known = this.#ofCallers.get(caller);
    if (known !== undefined) return known;
    const found = assigneesOf(caller).flatMap(
      ([type, assignee]) => this.#byAssignee.get(keyOf(caller.issuer, type, assignee)) ?? [],
    );
    this.#ofCallers.set(caller, found);
    return found;
  }
}

function keyOf(issuer: string, type: string, assignee: string): string {
  return JSON.stringify([issuer, type, assignee]);
}
