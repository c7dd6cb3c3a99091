/** The child's half of `ChildProcess`: tells its parent that it is ready, and what CPU it has used. */

export interface ChildOptions {
  /** What the parent waits for: where the child serves, if it does. */
  readonly endpoint?: string;
  readonly httpEndpoint?: string;
  readonly close: () => Promise<void>;
}

export type FromChild =
  | { readonly kind: 'ready'; readonly endpoint: string; readonly httpEndpoint: string }
  | { readonly kind: 'cpu'; readonly seconds: number };

export type ToChild = 'cpu' | 'close';

/** Answers the parent until it says `close` or goes away. */
export function serveParent({ endpoint = '', httpEndpoint = '', close }: ChildOptions): void {
  const end = (): void => {
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('message', (message: ToChild) => {
    if (message === 'cpu') send({ kind: 'cpu', seconds: cpuSeconds() });
    else end();
  });
  process.on('disconnect', end);
  send({ kind: 'ready', endpoint, httpEndpoint });
}

/** User and system CPU time of this process, all threads, in seconds. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function send(message: FromChild): void {
  process.send?.(message);
}
