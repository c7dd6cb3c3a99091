/** A proxy before PostgreSQL behind which a COMMIT arrives although its sender's connection is long lost. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What is sent within this time of each other is sent together: one pipeline without an answer in between. */
const TOGETHER_MS = 25;
/** Enough for an answer that needs to wait for nobody. */
const LATE_MS = 300;

export class LateNetwork implements AsyncDisposable {
  readonly #targetPort: number;
  readonly #server = createServer();
  readonly #sockets = new Set<Socket>();
  /** Names under which clients prepare COMMIT. */
  readonly #names = new Set<string>();
  /** The next COMMIT, and what is sent together with it, arrives after the connection is lost for its sender. */
  delaysNextCommit = false;
  /** COMMITs that arrived late. */
  lateCount = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server.on('connection', (near) => {
      this.#accept(near);
    });
  }

  static async open(targetPort: number): Promise<LateNetwork> {
    const network = new LateNetwork(targetPort);
    network.#server.listen(0, '127.0.0.1');
    await once(network.#server, 'listening');
    return network;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #accept(near: Socket): void {
    const far = connect({ port: this.#targetPort, host: '127.0.0.1' });
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    }
    let together: Buffer[] = [];
    let timer: NodeJS.Timeout | undefined;
    near.on('data', (bytes: Buffer) => {
      together.push(bytes);
      clearTimeout(timer);
      timer = setTimeout(() => {
        const all = Buffer.concat(together);
        together = [];
        this.#send(all, near, far);
      }, TOGETHER_MS);
    });
    far.on('data', (bytes: Buffer) => near.write(bytes));
    far.on('close', () => near.destroy());
  }

  #send(bytes: Buffer, near: Socket, far: Socket): void {
    if (!this.#hasCommit(bytes) || !this.delaysNextCommit) {
      far.write(bytes);
      return;
    }
    this.delaysNextCommit = false;
    near.resetAndDestroy();
    setTimeout(() => {
      this.lateCount += 1;
      far.end(bytes);
    }, LATE_MS);
  }

  /** Prepared under a name once for each connection, then known by the name. */
  #hasCommit(bytes: Buffer): boolean {
    const text = bytes.toString('latin1');
    const name = /(s\d+)\0commit\0/.exec(text)?.[1];
    if (name !== undefined) this.#names.add(name);
    return [...this.#names].some((each) => text.includes(`\0${each}\0`));
  }
}
