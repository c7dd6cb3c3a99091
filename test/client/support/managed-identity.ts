/** The managed identity endpoint of App Service, on loopback: what the real credential asks. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface GivenToken {
  readonly token: string;
  /** What the endpoint says of it, in seconds; below 300 the credential asks again each time. */
  readonly livesSeconds: number;
}

export class ManagedIdentityStub {
  /** Client ids asked for; empty for the system-assigned identity. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #previous = { ...process.env };

  private constructor(server: Server) {
    this.#server = server;
    const { port } = server.address() as AddressInfo;
    process.env['IDENTITY_ENDPOINT'] = `http://127.0.0.1:${port}/msi/token`;
    process.env['IDENTITY_HEADER'] = 'secret';
  }

  /** `known`: identities of this machine, beside the system-assigned one. */
  static async open(
    give: (clientId: string) => Promise<GivenToken>,
    known: readonly string[] = [],
  ): Promise<ManagedIdentityStub> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const stub = new ManagedIdentityStub(server);
    server.on('request', (request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://stub');
      const clientId = searchParams.get('client_id') ?? '';
      stub.asked.push(clientId);
      const isKnown = clientId === '' || known.includes(clientId);
      const answer = async (): Promise<object> => {
        if (!isKnown)
          return { statusCode: 400, message: 'No managed identity found for ClientId.' };
        const { token, livesSeconds } = await give(clientId);
        const expiresOn = Math.floor(Date.now() / 1_000) + livesSeconds;
        return { access_token: token, expires_on: expiresOn, token_type: 'Bearer' };
      };
      void answer().then((body) => {
        const isAllowed = request.headers['x-identity-header'] === 'secret';
        response.writeHead(isKnown && isAllowed ? 200 : 400, {
          'content-type': 'application/json',
        });
        response.end(JSON.stringify(body));
      });
    });
    return stub;
  }

  close(): void {
    for (const name of ['IDENTITY_ENDPOINT', 'IDENTITY_HEADER']) {
      const value = this.#previous[name];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
