/** A proxy before PostgreSQL that loses connections at the worst moment. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** The server's answer to COMMIT, as it comes over the wire. */
const COMMITTED = Buffer.from('COMMIT\0');

export class ReplyCutter implements AsyncDisposable {
  readonly #targetPort: number;
  readonly #server = createServer();
  readonly #sockets = new Set<Socket>();
  /** The next answer to a COMMIT never arrives: all connections are reset instead. */
  cutsNextCommit = false;
  /** New connections are reset as soon as they are made. */
  isAway = false;
  /** Connections that were reset at their COMMIT. */
  cutCount = 0;
  /** How often somebody spoke after the server had: round trips, of all connections together. */
  tripCount = 0;
  /** Connections that were reset because the database is away. */
  refusedCount = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server.on('connection', (near) => {
      this.#accept(near);
    });
  }

  static async open(targetPort: number): Promise<ReplyCutter> {
    const proxy = new ReplyCutter(targetPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resets every connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #accept(near: Socket): void {
    this.#keep(near);
    if (this.isAway) {
      this.refusedCount += 1;
      near.resetAndDestroy();
      return;
    }
    const far = connect({ port: this.#targetPort, host: '127.0.0.1' });
    this.#keep(far);
    const drop = (): void => {
      near.resetAndDestroy();
      far.resetAndDestroy();
    };
    let isAnswered = true;
    near.on('data', (bytes) => {
      if (isAnswered) this.tripCount += 1;
      isAnswered = false;
      far.write(bytes);
    });
    far.on('data', (bytes) => {
      isAnswered = true;
      if (this.cutsNextCommit && bytes.includes(COMMITTED)) {
        this.cutsNextCommit = false;
        this.cutCount += 1;
        this.cut();
        return;
      }
      near.write(bytes);
    });
    near.on('close', drop);
    far.on('close', drop);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
