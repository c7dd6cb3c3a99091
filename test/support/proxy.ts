import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** The two sockets of one proxied connection. */
interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  isFrozen: boolean;
}

/** A TCP proxy on loopback that misbehaves on demand, as networks do. */
export class LoopbackProxy implements AsyncDisposable {
  #targetPort: number;
  readonly #server = createServer({ allowHalfOpen: true });
  readonly #pairs = new Set<Pair>();
  #isRefusing = false;
  #acceptedCount = 0;
  #refusedCount = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server.on('connection', (near) => {
      this.#accept(near);
    });
  }

  /** Listens on a free port and passes connections on to `target`, `http://127.0.0.1:8080`. */
  static async open(target: string): Promise<LoopbackProxy> {
    const proxy = new LoopbackProxy(Number(new URL(target).port));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** `http://127.0.0.1:<port>`, to be used instead of the target. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections passed on so far. */
  get acceptedCount(): number {
    return this.#acceptedCount;
  }

  /** Connections refused so far. */
  get refusedCount(): number {
    return this.#refusedCount;
  }

  /** New connections go elsewhere: the target came back on another port. */
  retarget(target: string): void {
    this.#targetPort = Number(new URL(target).port);
  }

  /** Resets every connection, on both sides. */
  cut(): void {
    this.#reset([...this.#pairs]);
  }

  /** Resets only what `freeze` left half-open, as a network does when it notices at last. */
  cutFrozen(): void {
    this.#reset([...this.#pairs].filter(({ isFrozen }) => isFrozen));
  }

  /** What is open now stays open, but not a byte passes any more; new connections are fine. */
  freeze(): void {
    for (const pair of this.#pairs) {
      pair.isFrozen = true;
      pair.near.pause();
      pair.far.pause();
    }
  }

  /** From now on connections are reset as soon as they are made, or passed on again. */
  refuse(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
  }

  async close(): Promise<void> {
    this.cut();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #reset(pairs: readonly Pair[]): void {
    for (const pair of pairs) {
      this.#pairs.delete(pair);
      pair.near.resetAndDestroy();
      pair.far.resetAndDestroy();
    }
  }

  #accept(near: Socket): void {
    if (this.#isRefusing) {
      this.#refusedCount += 1;
      near.resetAndDestroy();
      return;
    }
    this.#acceptedCount += 1;
    const far = connect({ port: this.#targetPort, host: '127.0.0.1', allowHalfOpen: true });
    const pair: Pair = { near, far, isFrozen: false };
    this.#pairs.add(pair);
    this.#passOn(pair, near, far);
    this.#passOn(pair, far, near);
  }

  #passOn(pair: Pair, from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      if (pair.isFrozen) return;
      if (!to.write(bytes)) from.pause();
    });
    to.on('drain', () => {
      if (!pair.isFrozen) from.resume();
    });
    from.on('end', () => {
      if (!pair.isFrozen) to.end();
    });
    // One side is gone: so is the other, unless the network does not tell it.
    from.on('error', () => {
      if (!pair.isFrozen) to.resetAndDestroy();
    });
    from.on('close', () => {
      if (pair.isFrozen && !to.destroyed) return;
      to.destroy();
      this.#pairs.delete(pair);
    });
  }
}
