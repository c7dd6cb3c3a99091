import type { Clock } from '../../base/clock.ts';
import { assignmentsOf, type SecurityConfig } from '../../config/security-config.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Guard } from './guard.ts';
import { RoleBook } from './role-book.ts';
import { TokenVerifier } from './token-verifier.ts';

export interface CreateGuardOptions {
  readonly config: SecurityConfig;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The guard that a configuration asks for: none without an issuer. */
export function createGuard({ config, clock, logger }: CreateGuardOptions): Guard | undefined {
  if (config.authIssuers.length === 0) return undefined;
  const verifier = new TokenVerifier({
    issuers: config.authIssuers,
    audiences: config.authAudiences,
    clockSkewMs: config.authClockSkewMs,
    clock,
    logger,
  });
  return new Guard({ verifier, roles: new RoleBook(assignmentsOf(config)) });
}
