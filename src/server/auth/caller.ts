import type { AssigneeType } from '../../core/roles.ts';

/** Who makes a call, as a verified token says. */
export interface Caller {
  /** As configured, whichever form of it the token names. */
  readonly issuer: string;
  /** `oid` of Entra ID, else `sub`. */
  readonly principal: string;
  /** For people: a sign-in name or the id of an application. */
  readonly displayName: string;
  readonly groups: readonly string[];
  readonly appRoles: readonly string[];
  /** Entra ID leaves groups out of the token when there are too many of them. */
  readonly hasGroupOverage: boolean;
  /** Epoch ms until which the token counts, the tolerated clock skew included. */
  readonly expiresAt: number;
}

/** The claims of a token whose signature, issuer, audience and times were checked. */
export type Claims = Readonly<Record<string, unknown>>;

/** The caller, or `undefined` when the claims name no principal. */
export function callerOf(
  claims: Claims,
  { issuer, expiresAt }: Pick<Caller, 'issuer' | 'expiresAt'>,
): Caller | undefined {
  const principal = text(claims, 'oid') ?? text(claims, 'sub');
  if (principal === undefined) return undefined;
  const names = ['preferred_username', 'upn', 'email', 'azp', 'appid', 'client_id'];
  const displayName = names.map((name) => text(claims, name)).find((name) => name !== undefined);
  return {
    issuer,
    principal,
    displayName: displayName ?? principal,
    groups: texts(claims, 'groups'),
    appRoles: texts(claims, 'roles'),
    hasGroupOverage: hasGroupOverage(claims),
    expiresAt,
  };
}

/** Everything that a role may be assigned to for this caller. */
export function assigneesOf(caller: Caller): readonly (readonly [AssigneeType, string])[] {
  return [
    ['principal', caller.principal],
    ...caller.groups.map((group) => ['group', group] as const),
    ...caller.appRoles.map((role) => ['appRole', role] as const),
  ];
}

/** v2 tokens point elsewhere with `_claim_names`, tokens of the implicit flow say `hasgroups`. */
function hasGroupOverage(claims: Claims): boolean {
  const elsewhere = claims['_claim_names'];
  const isElsewhere = typeof elsewhere === 'object' && elsewhere !== null && 'groups' in elsewhere;
  return isElsewhere || claims['hasgroups'] === true || claims['hasgroups'] === 'true';
}

function text(claims: Claims, name: string): string | undefined {
  const value = claims[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Some issuers write a list of one entry as that entry. */
function texts(claims: Claims, name: string): readonly string[] {
  const value = claims[name];
  const list = Array.isArray(value) ? value : [value];
  return list.filter((entry): entry is string => typeof entry === 'string' && entry !== '');
}
