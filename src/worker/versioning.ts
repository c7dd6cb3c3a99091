import { invalidArgument } from '../core/errors.ts';
import { compareVersions } from '../replay/compare-versions.ts';

/** Which versions of orchestrations a worker runs; values are those of `@microsoft/durabletask-js`. */
export const VersionMatchStrategy = {
  /** Every version. */
  None: 0,
  /** The worker's own version only. */
  Strict: 1,
  /** The worker's own version and older ones, those without a version included. */
  CurrentOrOlder: 2,
} as const;
export type VersionMatchStrategy = (typeof VersionMatchStrategy)[keyof typeof VersionMatchStrategy];

/** What becomes of an orchestration whose version does not match. */
export const VersionFailureStrategy = {
  /** It is given back, for another worker. */
  Reject: 0,
  /** It fails with `VersionMismatch`. */
  Fail: 1,
} as const;
export type VersionFailureStrategy =
  (typeof VersionFailureStrategy)[keyof typeof VersionFailureStrategy];

/** Which versions a worker stands for (names of `VersioningOptions` in durabletask-js). */
export interface VersioningOptions {
  /** The worker's own version. Without one every version matches. */
  readonly version?: string | undefined;
  /** Version of sub-orchestrations that are called without one. Default: none. */
  readonly defaultVersion?: string | undefined;
  /** Default `None`. */
  readonly matchStrategy?: VersionMatchStrategy | undefined;
  /** Default `Reject`. */
  readonly failureStrategy?: VersionFailureStrategy | undefined;
}

/** Checked and complete. */
export interface Versioning {
  readonly version: string;
  readonly defaultVersion: string | undefined;
  readonly matchStrategy: VersionMatchStrategy;
  readonly failureStrategy: VersionFailureStrategy;
}

/**
 * Fills in what a caller left out.
 *
 * @throws TaskHubError INVALID_ARGUMENT for a strategy that does not exist.
 */
export function resolveVersioning(options: VersioningOptions = {}): Versioning {
  const { version = '', defaultVersion } = options;
  const matchStrategy = options.matchStrategy ?? VersionMatchStrategy.None;
  const failureStrategy = options.failureStrategy ?? VersionFailureStrategy.Reject;
  assertMember('matchStrategy', VersionMatchStrategy, matchStrategy);
  assertMember('failureStrategy', VersionFailureStrategy, failureStrategy);
  return { version: version.trim(), defaultVersion, matchStrategy, failureStrategy };
}

/** The version that alone is served, if it is only one. */
export function onlyVersion({ version, matchStrategy }: Versioning): string | undefined {
  return matchStrategy === VersionMatchStrategy.Strict && version !== '' ? version : undefined;
}

/** Why an orchestration of that version is not for this worker; `undefined` when it is. */
export function versionMismatch(
  { version: own, matchStrategy }: Versioning,
  asked: string | undefined,
): string | undefined {
  if (own === '' || matchStrategy === VersionMatchStrategy.None) return undefined;
  const order = compareVersions(asked, own);
  if (matchStrategy === VersionMatchStrategy.Strict) {
    if (order === 0) return undefined;
    return `The orchestration version '${asked ?? ''}' does not match the worker version '${own}'.`;
  }
  if (order <= 0) return undefined;
  return `The orchestration version '${asked ?? ''}' is greater than the worker version '${own}'.`;
}

function assertMember(name: string, members: Readonly<Record<string, number>>, value: number) {
  if (Object.values(members).includes(value)) return;
  const known = Object.entries(members).map(([member, number]) => `${number} (${member})`);
  throw invalidArgument(`versioning.${name} must be one of ${known.join(', ')}, got ${value}`);
}
