import type { FunctionListing } from './function-listing.ts';

/** What the parent sends to the app's process. */
export type ToChild =
  { readonly kind: 'start'; readonly options: ChildOptions } | { readonly kind: 'close' };

export interface ChildOptions {
  readonly appDir: string;
  readonly port: number;
  readonly host: string;
  /** App settings that win over everything else. */
  readonly env: Readonly<Record<string, string>>;
  readonly preloads: readonly string[];
  readonly pathAliases: Readonly<Record<string, string>>;
}

/** What the app's process sends to the parent. */
export type FromChild =
  | {
      readonly kind: 'ready';
      readonly port: number;
      readonly functions: readonly FunctionListing[];
    }
  /** It could not start; `message` is a sentence for the user. */
  | { readonly kind: 'failed'; readonly message: string };

const TAG = 'durabletask-devhost';

/** Marks a message as ours: the app can use the same channel. */
export function tagged<T extends ToChild | FromChild>(message: T): T & { tag: string } {
  return { ...message, tag: TAG };
}

/** The message from the app's process, or `undefined` when it is the app's own. */
export function fromChild(message: unknown): FromChild | undefined {
  return isTagged(message) ? (message as unknown as FromChild) : undefined;
}

/** The message from the parent, or `undefined` when it is another's. */
export function toChild(message: unknown): ToChild | undefined {
  return isTagged(message) ? (message as unknown as ToChild) : undefined;
}

function isTagged(message: unknown): message is { readonly tag: string } {
  return typeof message === 'object' && message !== null && 'tag' in message && message.tag === TAG;
}
