/** The part of the configuration that says who may come in: TLS, issuers of tokens, first role assignments. */
import { z } from 'zod';
import { ASSIGNEE_TYPES, parseRole, type Role, type RoleAssignment } from '../core/roles.ts';
import { isLoopback } from './loopback.ts';

const FILE_RULE = 'must be the path of a PEM file';
const file = z.string(FILE_RULE).min(1, FILE_RULE).optional();

const ISSUER_RULE = 'must be https addresses of OIDC issuers (http only on loopback)';
const AUDIENCE_RULE = 'must be audiences of tokens, such as https://durabletask.io';
const CLIENT_RULE = 'must be the id of a public client at the first issuer';
const SCOPES_RULE = 'must be scopes of tokens, such as openid or api://durabletask/.default';
const SKEW_RULE = 'must be a whole number of milliseconds from 0 to 600000';
const ROLES_RULE = `must be a JSON list of {"role": "contributor" | "reader" | "worker", "assignee": "…", "assigneeType": ${ASSIGNEE_TYPES.map((type) => `"${type}"`).join(' | ')}, "taskHub": "…" (absent: all), "issuer": "…" (needed with several)}`;

/** The audience that clients of the product ask their tokens for. */
const AUDIENCE_DEFAULT = 'https://durabletask.io';

const text = z.string(ROLES_RULE).min(1, ROLES_RULE);
const roleAssignment = z.strictObject(
  {
    role: text.transform((name, context): Role => {
      const role = parseRole(name);
      if (role !== undefined) return role;
      context.addIssue({ code: 'custom', message: ROLES_RULE });
      return z.NEVER;
    }),
    assignee: text,
    assigneeType: z.enum(ASSIGNEE_TYPES, ROLES_RULE).default('principal'),
    taskHub: text.optional(),
    issuer: text.optional(),
  },
  ROLES_RULE,
);

export const SECURITY_SHAPE = {
  tlsCert: file.describe('Certificate chain of both ports, a PEM file; with it both speak TLS'),
  tlsKey: file.describe('Private key of the certificate, a PEM file'),
  tlsClientCa: file.describe(
    'Mutual TLS: only clients with a certificate of this CA (PEM file) come in',
  ),
  authIssuers: z
    .array(z.string(ISSUER_RULE).refine(isIssuer, ISSUER_RULE), ISSUER_RULE)
    .default([])
    .describe('OIDC issuers whose bearer tokens count; with one, every call needs a token'),
  authAudiences: z
    .array(z.string(AUDIENCE_RULE).min(1, AUDIENCE_RULE), AUDIENCE_RULE)
    .min(1, AUDIENCE_RULE)
    .default([AUDIENCE_DEFAULT])
    .describe('Audiences that a token must be for one of'),
  authClockSkewMs: z
    .int(SKEW_RULE)
    .min(0, SKEW_RULE)
    .max(600_000, SKEW_RULE)
    .default(60_000)
    .describe('How far the clocks of issuers may be off, in ms'),
  signInClientId: z
    .string(CLIENT_RULE)
    .regex(/^[\x21-\x7e]+$/, CLIENT_RULE)
    .optional()
    .describe('Client id with which people sign in to the dashboard, at the first issuer'),
  signInScopes: z
    .array(z.string(SCOPES_RULE).regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, SCOPES_RULE), SCOPES_RULE)
    .min(1, SCOPES_RULE)
    .default(['openid', 'profile', 'offline_access'])
    .describe(
      'Scopes that the dashboard asks for; with Entra ID, one of the API must be among them',
    ),
  roleAssignments: z
    .array(roleAssignment, ROLES_RULE)
    .default([])
    .describe('Role assignments there are from the start, as JSON'),
};

function isIssuer(address: string): boolean {
  const url = URL.parse(address);
  if (url === null || url.search !== '' || url.hash !== '') return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
}

/** What `SECURITY_SHAPE` reads. */
export interface SecurityConfig {
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly tlsClientCa?: string | undefined;
  readonly authIssuers: readonly string[];
  readonly authAudiences: readonly string[];
  readonly authClockSkewMs: number;
  readonly signInClientId?: string | undefined;
  readonly signInScopes: readonly string[];
  readonly roleAssignments: readonly (Omit<RoleAssignment, 'issuer' | 'taskHub'> & {
    readonly issuer?: string | undefined;
    readonly taskHub?: string | undefined;
  })[];
}

/** The issuer of an assignment that names none is the only one there is. */
export function assignmentsOf({
  roleAssignments,
  authIssuers,
}: Pick<SecurityConfig, 'roleAssignments' | 'authIssuers'>): readonly RoleAssignment[] {
  const [only = ''] = authIssuers;
  return roleAssignments.map(({ issuer = only, taskHub, ...rest }) => ({
    ...rest,
    issuer,
    taskHub,
  }));
}

/** True when nobody comes in who is not known, and nobody on the way can listen. */
export function isGuarded({ tlsCert, authIssuers }: SecurityConfig): boolean {
  return tlsCert !== undefined && authIssuers.length > 0;
}

/** What is wrong only together. `label` names a key as its source does. */
export function securityProblems(
  config: SecurityConfig,
  label: (key: keyof SecurityConfig) => string,
): readonly string[] {
  const { tlsCert, tlsKey, tlsClientCa, authIssuers, roleAssignments, signInClientId } = config;
  const problems: string[] = [];
  if (signInClientId !== undefined && authIssuers.length === 0) {
    problems.push(
      `${label('signInClientId')} has no effect without ${label('authIssuers')}: nobody is asked who they are. Name an issuer, or leave the client id out.`,
    );
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    const [given, missing] =
      tlsCert === undefined ? (['tlsKey', 'tlsCert'] as const) : (['tlsCert', 'tlsKey'] as const);
    problems.push(`${label(given)} needs ${label(missing)} beside it. Give both, or neither.`);
  }
  if (tlsClientCa !== undefined && tlsCert === undefined) {
    problems.push(
      `${label('tlsClientCa')} asks clients for certificates, which needs TLS. Give ${label('tlsCert')} and ${label('tlsKey')} too.`,
    );
  }
  if (roleAssignments.length > 0 && authIssuers.length === 0) {
    problems.push(
      `${label('roleAssignments')} has no effect without ${label('authIssuers')}: nobody is asked who they are. Name an issuer, or leave the assignments out.`,
    );
  }
  const strange = roleAssignments.find(({ issuer }) =>
    issuer === undefined ? authIssuers.length > 1 : !authIssuers.includes(issuer),
  );
  if (strange !== undefined && authIssuers.length > 0) {
    problems.push(
      `${label('roleAssignments')}: the assignment to '${strange.assignee}' must name one of the issuers of ${label('authIssuers')} (${authIssuers.join(', ')}), got ${strange.issuer ?? 'none'}.`,
    );
  }
  return problems;
}
