import { TaskHubError } from '../../core/errors.ts';
import { isOfScheduler, rolesFor, type Permission } from '../permissions.ts';
import type { Caller } from './caller.ts';
import type { RoleBook } from './role-book.ts';
import type { TokenVerifier } from './token-verifier.ts';

export interface GuardOptions {
  readonly verifier: TokenVerifier;
  readonly roles: RoleBook;
}

/** Stands at both doors: who is it, and may they? */
export class Guard {
  readonly #verifier: TokenVerifier;
  readonly #roles: RoleBook;

  constructor({ verifier, roles }: GuardOptions) {
    this.#verifier = verifier;
    this.#roles = roles;
  }

  /**
   * Who an `Authorization` header is of.
   *
   * @throws TaskHubError UNAUTHENTICATED, UNAVAILABLE (see `TokenVerifier`).
   */
  async authenticate(header: string | undefined): Promise<Caller> {
    const token = tokenOf(header);
    if (token !== undefined) return this.#verifier.verify(token);
    throw new TaskHubError(
      'UNAUTHENTICATED',
      header === undefined || header === ''
        ? 'This scheduler wants to know who calls: send a bearer token (in a connection string, another Authentication than None).'
        : 'The Authorization header is not of the form "Bearer <token>".',
    );
  }

  /** Whether the token was checked lately and its caller may: quick, and false does not mean that they may not. */
  knows(header: string | undefined, permission: Permission, taskHub: string): boolean {
    const token = tokenOf(header);
    const caller = token === undefined ? undefined : this.#verifier.remembered(token);
    return caller !== undefined && this.permits(caller, permission, taskHub);
  }

  permits(caller: Caller, permission: Permission, taskHub: string | undefined): boolean {
    if (permission === 'none' || permission === 'known') return true;
    return this.#roles.permits(caller, permission, taskHub);
  }

  /** @throws TaskHubError PERMISSION_DENIED, in the same words whether the hub exists or not. */
  require(caller: Caller, permission: Permission, taskHub: string | undefined): void {
    if (!this.permits(caller, permission, taskHub)) throw denied(caller, permission, taskHub);
  }
}

function tokenOf(header: string | undefined): string | undefined {
  return /^Bearer +([\w.~+/=-]+) *$/i.exec(header ?? '')?.[1];
}

function denied(caller: Caller, permission: Permission, taskHub: string | undefined): TaskHubError {
  const who =
    caller.displayName === caller.principal
      ? caller.principal
      : `${caller.displayName} (${caller.principal})`;
  const scope =
    isOfScheduler(permission) || taskHub === undefined
      ? 'the scheduler'
      : `task hub '${taskHub}' or on the scheduler`;
  const overage = caller.hasGroupOverage
    ? ' Its groups are too many to be in its token: assign the role to the principal itself or to an app role.'
    : '';
  return new TaskHubError(
    'PERMISSION_DENIED',
    `${who} lacks the role ${rolesFor(permission).join(' or ')} on ${scope}.${overage}`,
  );
}
