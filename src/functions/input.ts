import azureFunctions from '@azure/functions';
import type { DurableClientInput } from 'durable-functions';

/**
 * An extra input that asks for a durable client. Kept for apps written for the .NET extension: the
 * host never sees it (registration-wrap.ts), and `getClient(context)` does without it.
 */
export function durableClient(): DurableClientInput {
  return azureFunctions.input.generic({ type: 'durableClient' }) as DurableClientInput;
}
