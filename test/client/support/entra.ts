/** Entra ID's sign-in host on loopback: reached through a proxy, as the credentials insist on its name. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Certificates } from '../../support/certificates.ts';

const HOST = 'login.microsoftonline.com';

export class EntraStub {
  /** Forms of the token requests, with the tenant they were made to. */
  readonly requests: Readonly<Record<string, string>>[] = [];
  readonly #entra: Server;
  readonly #proxy: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(entra: Server, proxy: Server) {
    this.#entra = entra;
    this.#proxy = proxy;
  }

  static async open(certificates: Certificates): Promise<EntraStub> {
    const { certFile, keyFile } = certificates.issue(HOST);
    const files = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
    const entra = createHttpsServer(files).listen(0, '127.0.0.1');
    const proxy = createHttpServer().listen(0, '127.0.0.1');
    await Promise.all([once(entra, 'listening'), once(proxy, 'listening')]);
    const stub = new EntraStub(entra, proxy);
    entra.on('request', (request, response) => {
      void stub.#answer(request).then((body) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      });
    });
    proxy.on('connect', (_request: IncomingMessage, socket: Socket) => {
      const through = connect((entra.address() as AddressInfo).port, '127.0.0.1');
      for (const each of [socket, through]) stub.#sockets.add(each.on('error', () => undefined));
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      socket.pipe(through).pipe(socket);
    });
    return stub;
  }

  get proxyUrl(): string {
    return `http://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage): Promise<object> {
    const url = new URL(request.url ?? '', `https://${HOST}`);
    const [tenant = ''] = url.pathname.slice(1).split('/');
    if (!url.pathname.endsWith('/oauth2/v2.0/token')) {
      const base = `https://${HOST}/${tenant}`;
      return {
        tenant_discovery_endpoint: `${base}/v2.0/.well-known/openid-configuration`,
        issuer: `${base}/v2.0`,
        authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
        token_endpoint: `${base}/oauth2/v2.0/token`,
        jwks_uri: `${base}/discovery/v2.0/keys`,
        metadata: [],
      };
    }
    const form = Object.fromEntries(new URLSearchParams(await textOf(request)));
    this.requests.push({ ...form, tenant });
    return {
      token_type: 'Bearer',
      expires_in: 3_600,
      access_token: `of-${form['client_id'] ?? ''}`,
    };
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of [this.#entra, this.#proxy]) {
      server.close();
      server.closeAllConnections();
    }
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
