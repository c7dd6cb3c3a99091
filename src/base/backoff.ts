export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** How much each delay grows over the one before. */
  readonly factor: number;
}

/**
 * Delay in ms before attempt number `attempt` (1 = the first retry), with up to half of it taken
 * away at random so that many clients do not come back at the same moment.
 */
export function backoffMs(attempt: number, options: BackoffOptions, random: () => number): number {
  const full = Math.min(options.firstMs * options.factor ** (attempt - 1), options.maxMs);
  return Math.round(full * (1 - random() / 2));
}
