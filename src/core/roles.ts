/**
 * The product's three roles, each given to somebody on one task hub or on the whole scheduler. What a role allows is
 * the business of the doors; nothing is allowed that no assignment allows.
 */

export const ROLES = ['contributor', 'reader', 'worker'] as const;
export type Role = (typeof ROLES)[number];

/** Names and ids of the product's built-in roles. */
export const BUILT_IN_ROLES = {
  contributor: {
    name: 'Durable Task Data Contributor',
    id: '0ad04412-c4d5-4796-b79c-f76d14c8d402',
  },
  reader: { name: 'Durable Task Data Reader', id: 'd6a5505f-6ebb-45a4-896e-ac8274cfc0ac' },
  worker: { name: 'Durable Task Worker', id: '80d0d6b0-f522-40a4-8886-a5a11720c375' },
} as const satisfies Record<Role, { readonly name: string; readonly id: string }>;

/** `principal`: a user, service principal or managed identity. `appRole`: an entry of a token's `roles` claim. */
export const ASSIGNEE_TYPES = ['principal', 'group', 'appRole'] as const;
export type AssigneeType = (typeof ASSIGNEE_TYPES)[number];

export interface RoleAssignment {
  readonly role: Role;
  /** Whose tokens name the assignee. */
  readonly issuer: string;
  readonly assigneeType: AssigneeType;
  /** The `oid` (without one the `sub`) of a principal, the id of a group, the name of an app role. */
  readonly assignee: string;
  /** `undefined`: the whole scheduler. */
  readonly taskHub: string | undefined;
}

/** A role by its short name, the product's name or the product's id, in any case. */
export function parseRole(text: string): Role | undefined {
  const wanted = text.trim().toLowerCase();
  return ROLES.find((role) => {
    const { name, id } = BUILT_IN_ROLES[role];
    return [role, name.toLowerCase(), id].includes(wanted);
  });
}
