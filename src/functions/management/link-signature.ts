import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a signed link may do, and to what: nothing else is covered by its signature. */
export interface SignedScope {
  readonly taskHub: string;
  readonly instanceId: string;
  /** One of the operations of an instance, in lower case: `status`, `terminate` … */
  readonly operation: string;
}

/** The two query parameters of a signed link. */
export interface LinkSignature {
  /** Base64url HMAC-SHA256 of the scope and the expiry. */
  readonly sig: string;
  /** Expiry, epoch seconds. */
  readonly se: string;
}

export interface SignOptions {
  readonly secret: string;
  readonly expiresAt: number;
}

/** Signs one operation on one instance until `expiresAt` (epoch milliseconds). */
export function signLink(scope: SignedScope, { secret, expiresAt }: SignOptions): LinkSignature {
  const se = String(Math.floor(expiresAt / 1000));
  return { sig: computeSignature(scope, se, secret), se };
}

export interface VerifyOptions {
  readonly secret: string;
  readonly now: number;
}

/** True when the signature belongs to this scope and has not expired. */
export function isSignatureValid(
  scope: SignedScope,
  { sig, se }: LinkSignature,
  { secret, now }: VerifyOptions,
): boolean {
  if (!/^\d{1,12}$/.test(se) || Number(se) * 1000 <= now) return false;
  const expected = Buffer.from(computeSignature(scope, se, secret));
  const given = Buffer.from(sig);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function computeSignature(scope: SignedScope, se: string, secret: string): string {
  // JSON keeps the parts apart: no id can be made to read like another scope.
  const text = JSON.stringify(['v1', scope.taskHub, scope.operation, scope.instanceId, se]);
  return createHmac('sha256', secret).update(text).digest('base64url');
}
