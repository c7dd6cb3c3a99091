/** Who asks, and how to sign in. */
import type { Guard } from '../../auth/guard.ts';
import type { Caller } from '../../auth/caller.ts';
import { admissionOf } from '../admission.ts';
import type { HttpRoute } from '../http-app.ts';
import { meSchema, signInSchema, type MeJson, type SignInJson } from './sign-in-contract.ts';
import { api, iso } from './route.ts';

export const SIGN_IN_ROUTES: readonly HttpRoute[] = [
  api({
    method: 'GET',
    path: '/sign-in',
    permission: 'none',
    summary: 'Whether callers are asked who they are, and where people sign in',
    answer: signInSchema,
    handle: async ({ options, context }) => {
      const { isRequired } = options.signIn;
      const endpoints = await options.signIn.endpoints();
      const client = endpoints && { ...endpoints, scopes: [...endpoints.scopes] };
      return context.json({ isRequired, ...(client && { client }) } satisfies SignInJson);
    },
  }),
  api({
    method: 'GET',
    path: '/me',
    permission: 'known',
    summary: 'Who the caller is and what they may do, by task hub and for the scheduler',
    answer: meSchema,
    handle: ({ options, engine, context }) => {
      const admission = admissionOf(context);
      const { guard } = options;
      const hubs = engine.taskHubs().map((name) => ({
        name,
        ...rights({ guard, caller: admission?.caller, hub: name }),
      }));
      return context.json({
        ...(admission && identity(admission.caller)),
        hubs: hubs.filter(({ canRead, canWrite, canWork }) => canRead || canWrite || canWork),
        scheduler: {
          canInspect: !admission || admission.permits('inspect', undefined),
          canManage: !admission || admission.permits('manage', undefined),
        },
      } satisfies MeJson);
    },
  }),
];

function identity({ displayName, principal, issuer, expiresAt }: Caller) {
  return { caller: { name: displayName, principal, issuer, expiresAt: iso(expiresAt) } };
}

interface Asked {
  readonly guard: Guard | undefined;
  readonly caller: Caller | undefined;
  readonly hub: string;
}

function rights({ guard, caller, hub }: Asked): {
  readonly canRead: boolean;
  readonly canWrite: boolean;
  readonly canWork: boolean;
} {
  const may = (permission: 'read' | 'write' | 'work'): boolean =>
    !guard || !caller || guard.permits(caller, permission, hub);
  return { canRead: may('read'), canWrite: may('write'), canWork: may('work') };
}
