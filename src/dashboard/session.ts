/** Who this tab is, where the scheduler asks: tokens live in memory and nowhere else, and go with the tab. */
import { signal } from '@preact/signals';
import type { MeJson } from '../server/http/api/sign-in-contract.ts';

/** `open`: nobody asked so far. `needed`, `ended`: the scheduler wants to know, for the first time or again. */
export const session = signal<'open' | 'needed' | 'in' | 'ended'>('open');
/** What the scheduler knows of this person. */
export const me = signal<MeJson | undefined>(undefined);

let token: string | undefined;

export function authorization(): Readonly<Record<string, string>> {
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

/** From now on the tab speaks with this token. */
export function enter(accessToken: string): void {
  token = accessToken;
}

/** A call was refused for want of a token that counts. */
export function refused(): void {
  token = undefined;
  session.value = session.value === 'in' || session.value === 'ended' ? 'ended' : 'needed';
}

/** True when the scheduler said that this person may look at the hub and no more. */
export function mayOnlyLook(hub: string | undefined): boolean {
  return (
    me.value?.hubs.some(({ name, canRead, canWrite }) => name === hub && canRead && !canWrite) ===
    true
  );
}

/** False only when the scheduler said that this person may not change anything in the hub. */
export function mayWrite(hub: string | undefined): boolean {
  if (me.value === undefined || hub === undefined) return true;
  return me.value.hubs.some(({ name, canWrite }) => name === hub && canWrite);
}
