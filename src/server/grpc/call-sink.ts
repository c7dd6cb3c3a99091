import { Buffer } from 'node:buffer';
import type { Clock } from '../../base/clock.ts';
import type { WorkItemSink } from '../engine.ts';

/**
 * Bytes and messages that may wait in a stream's transport before it counts as blocked. One work
 * item may be far larger than the byte bound: it is sent, and then nothing more until it is gone.
 */
export const SINK_PENDING_BYTES_MAX = 4 * 1024 * 1024;
export const SINK_PENDING_MESSAGES_MAX = 1_000;

/** The part of a grpc-js server stream that a sink writes to. */
export interface WritableCall {
  readonly cancelled: boolean;
  write(message: Buffer, onSent: () => void): unknown;
  end(): unknown;
  once(event: 'cancelled', listener: () => void): unknown;
}

/**
 * Encoded messages on their way into one server stream. Counts what the transport has not taken
 * yet (the client reads slowly, HTTP/2 flow control holds it back), so that whoever pushes can stop
 * before memory does.
 */
export class CallSink implements WorkItemSink {
  readonly #call: WritableCall;
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #onDrain: () => void = () => undefined;
  #pendingBytes = 0;
  #pendingMessages = 0;
  #wasBlocked = false;
  #lastPushedAt: number;

  constructor(call: WritableCall, clock: Clock) {
    this.#call = call;
    this.#clock = clock;
    this.#lastPushedAt = clock.now();
    if (call.cancelled) this.#closed.abort();
    else {
      call.once('cancelled', () => {
        this.#closed.abort();
      });
    }
  }

  /** Aborts when the stream is over, whoever ended it. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** Epoch ms. */
  get lastPushedAt(): number {
    return this.#lastPushedAt;
  }

  get isBlocked(): boolean {
    return (
      this.#pendingBytes >= SINK_PENDING_BYTES_MAX ||
      this.#pendingMessages >= SINK_PENDING_MESSAGES_MAX
    );
  }

  push(message: Uint8Array): void {
    if (this.#closed.signal.aborted) return;
    this.#lastPushedAt = this.#clock.now();
    this.#pendingBytes += message.byteLength;
    this.#pendingMessages += 1;
    this.#wasBlocked ||= this.isBlocked;
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    this.#call.write(bytes, () => {
      this.#sent(message.byteLength);
    });
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  /** Resolves when the sink may be pushed to again, or is closed. */
  async drained(): Promise<void> {
    if (!this.isBlocked || this.#closed.signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#onDrain = resolve;
      this.#closed.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  end(): void {
    if (this.#closed.signal.aborted) return;
    this.#call.end();
    this.#closed.abort();
  }

  #sent(bytes: number): void {
    this.#pendingBytes -= bytes;
    this.#pendingMessages -= 1;
    // Below half of the bounds, so that a slow reader does not cause a call back per message.
    const isDrained =
      this.#pendingBytes < SINK_PENDING_BYTES_MAX / 2 &&
      this.#pendingMessages < SINK_PENDING_MESSAGES_MAX / 2;
    if (!this.#wasBlocked || !isDrained) return;
    this.#wasBlocked = false;
    if (!this.#closed.signal.aborted) this.#onDrain();
  }
}
