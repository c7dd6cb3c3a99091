import type { Context } from 'hono';
import type { Caller } from '../auth/caller.ts';
import type { Guard } from '../auth/guard.ts';
import { DEFAULT_TASK_HUB } from '../grpc/call-context.ts';
import type { Permission } from '../permissions.ts';

const KEY = 'admission';

/** Who was let in, and what else they may. */
export class Admission {
  readonly #guard: Guard;
  readonly caller: Caller;

  constructor(guard: Guard, caller: Caller) {
    this.#guard = guard;
    this.caller = caller;
  }

  permits(permission: Permission, taskHub: string | undefined): boolean {
    return this.#guard.permits(this.caller, permission, taskHub);
  }
}

/**
 * Lets a request go on, or throws.
 *
 * @throws TaskHubError UNAUTHENTICATED, PERMISSION_DENIED, UNAVAILABLE (see `Guard`).
 */
export async function admit(
  context: Context,
  permission: Permission,
  guard: Guard | undefined,
): Promise<void> {
  if (guard === undefined || permission === 'none') return;
  const caller = await guard.authenticate(context.req.header('authorization'));
  guard.require(caller, permission, context.req.param('hub') ?? namedTaskHub(context));
  context.set(KEY, new Admission(guard, caller));
}

/** `undefined` where nobody is asked who they are. */
export function admissionOf(context: Context): Admission | undefined {
  return context.get(KEY) as Admission | undefined;
}

/** Named by the `x-taskhub` header, as the product's tools do. */
export function namedTaskHub(context: Context): string {
  const named = context.req.header('x-taskhub')?.trim() ?? '';
  return named === '' ? DEFAULT_TASK_HUB : named;
}
