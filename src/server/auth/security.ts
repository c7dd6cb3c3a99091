import { TaskGroup } from '../../base/task-group.ts';
import type { Clock } from '../../base/clock.ts';
import type { IdSource } from '../../base/ids.ts';
import { assignmentsOf, type SecurityConfig } from '../../config/security-config.ts';
import type { RoleStore } from '../../storage/role-store.ts';
import { logEvent } from '../../telemetry/log-events.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Guard } from './guard.ts';
import { RoleAssignments } from './role-assignments.ts';
import { RoleBook } from './role-book.ts';
import { SignIn } from './sign-in.ts';
import { TokenVerifier } from './token-verifier.ts';

export interface OpenSecurityOptions {
  readonly config: SecurityConfig;
  readonly store: RoleStore;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
}

/** Who may come in, and who may say so. */
export interface Security {
  /** `undefined` without an issuer: everybody may do everything. */
  readonly guard: Guard | undefined;
  readonly roles: RoleAssignments;
  readonly signIn: SignIn;
  close(): Promise<void>;
}

export async function openSecurity(options: OpenSecurityOptions): Promise<Security> {
  const { config, clock, logger } = options;
  const configured = assignmentsOf(config);
  const book = new RoleBook(configured);
  const roles = new RoleAssignments({
    ...options,
    ...{ configured, book, issuers: config.authIssuers },
  });
  const closing = new AbortController();
  const background = new TaskGroup((error, name) => {
    logEvent(logger, 'securityTaskFailed', { task: name, error });
  });
  if (config.authIssuers.length > 0) {
    await roles.refresh();
    background.run('roles', () => roles.run({ signal: closing.signal }));
  }
  return {
    guard: createGuard(config, book, { clock, logger }),
    roles,
    signIn: new SignIn(config, clock),
    close: async () => {
      closing.abort(new Error('the scheduler is closing'));
      await background.settled();
    },
  };
}

function createGuard(
  config: SecurityConfig,
  roles: RoleBook,
  deps: { readonly clock: Clock; readonly logger: Logger },
): Guard | undefined {
  if (config.authIssuers.length === 0) return undefined;
  const verifier = new TokenVerifier({
    issuers: config.authIssuers,
    audiences: config.authAudiences,
    clockSkewMs: config.authClockSkewMs,
    ...deps,
  });
  return new Guard({ verifier, roles });
}
