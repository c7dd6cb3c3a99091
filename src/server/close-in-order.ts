import { logEvent } from '../telemetry/log-events.ts';
import type { Logger } from '../telemetry/logger.ts';

/**
 * Closes one thing after another, also when one of them fails: each failure is logged, and the
 * first one is thrown at the end.
 */
export async function closeInOrder(
  steps: readonly (() => Promise<void> | undefined)[],
  { logger }: { readonly logger: Logger },
): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      logEvent(logger, 'closingFailed', { error });
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
