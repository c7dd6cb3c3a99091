import { Metadata, status } from '@grpc/grpc-js';
import { fromGrpcError } from '../../src/client/grpc-errors.ts';
import { Link, type Network } from './network.ts';

/** The client's side of a call: what it does with what comes back. */
export interface CallEnd {
  readonly onMessage: (bytes: Uint8Array) => void;
  /** The server ended it with OK. */
  readonly onEnd: () => void;
  readonly onError: (error: Error) => void;
}

export interface Status {
  readonly code: status;
  readonly details: string;
}

const AWAY: Status = { code: status.UNAVAILABLE, details: 'simulated: the connection was lost' };

/** One call over the simulated network, unary or streaming, with a link in each direction. */
export class SimCall {
  readonly method: string;
  readonly connection: string;
  readonly up = new Link();
  readonly down = new Link();
  readonly #network: Network;
  readonly #end: CallEnd;
  readonly #onCancel = new Set<() => void>();
  /** The client waits for nothing more. */
  isOver = false;
  /** The server has heard that. */
  isCancelled = false;
  /** The server process that works on it. */
  server: object | undefined;

  constructor(
    options: { readonly network: Network; readonly connection: string; readonly method: string },
    end: CallEnd,
  ) {
    this.method = options.method;
    this.connection = options.connection;
    this.#network = options.network;
    this.#end = end;
  }

  get label(): string {
    return `${this.connection} ${this.method}`;
  }

  /** Server to client. */
  reply(bytes: Uint8Array, onSent: () => void = () => undefined): void {
    this.#network.send(this.down, {
      label: `${this.label} <-`,
      deliver: () => {
        onSent();
        if (!this.isOver) this.#end.onMessage(bytes);
      },
    });
  }

  /** Server to client: the last thing it says. */
  finish(result: Status): void {
    this.#network.send(this.down, {
      label: `${this.label} <- ${status[result.code]}`,
      deliver: () => this.settle(result),
    });
  }

  /** At the client, at once. */
  settle(result: Status): void {
    if (this.isOver) return;
    this.isOver = true;
    if (result.code === status.OK) this.#end.onEnd();
    else this.#end.onError(errorOf(result, this.method));
  }

  /** The client loses the connection; the server hears of it later. */
  break(): void {
    if (this.isOver) return;
    this.#network.clear(this.down);
    this.settle(AWAY);
    this.cancel();
  }

  /** The client gives up, with an error of its own. */
  giveUp(error: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#end.onError(error);
    this.cancel();
  }

  /** Tells the server that nobody waits any more. */
  cancel(): void {
    this.isOver = true;
    this.#network.send(this.up, {
      label: `${this.label} cancel ->`,
      deliver: () => {
        this.isCancelled = true;
        for (const listener of this.#onCancel) listener();
      },
    });
  }

  /** The server process died: the client's socket is reset, sooner or later. */
  reset(losesReplies: boolean): void {
    if (losesReplies) this.#network.clear(this.down);
    this.finish(AWAY);
  }

  onCancelled(listener: () => void): void {
    this.#onCancel.add(listener);
  }
}

function errorOf({ code, details }: Status, method: string): Error {
  const error = Object.assign(new Error(details), { code, details, metadata: new Metadata() });
  return fromGrpcError(error, method);
}
