import type { RoleAssignment } from '../core/roles.ts';

/** A role assignment that was made while the scheduler ran. */
export interface StoredRoleAssignment extends RoleAssignment {
  readonly id: string;
  /** Epoch ms. */
  readonly createdAt: number;
  /** Who made it; `undefined` where nobody was asked. */
  readonly createdBy: string | undefined;
}

/** Role assignments of a store. Those of a hub go when it is deleted, and stay when it is recreated. */
export interface RoleStore {
  list(): Promise<readonly StoredRoleAssignment[]>;
  /**
   * The assignment as it stands: the one that was there already, if it grants the same.
   *
   * @throws TaskHubError TASK_HUB_NOT_FOUND.
   */
  create(assignment: StoredRoleAssignment): Promise<StoredRoleAssignment>;
  /** False when there was none. */
  delete(id: string): Promise<boolean>;
}
