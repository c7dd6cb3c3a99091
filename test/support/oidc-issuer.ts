/** An OIDC issuer on loopback: metadata and keys over HTTP, tokens with any claims. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';

export interface TokenOptions {
  /** Laid over the usual ones; `undefined` leaves a claim out. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Epoch ms. Default: in an hour. */
  readonly expiresAt?: number;
}

/** Answers what people ask of an issuer; true when it did. */
export interface People {
  answer(request: IncomingMessage, response: ServerResponse): boolean;
}

const ALGORITHM = 'ES256';
const HOUR_MS = 3_600_000;
export const AUDIENCE = 'https://durabletask.io';

export class OidcIssuer {
  readonly url: string;
  /** Requests that were answered, by path. */
  readonly requests: string[] = [];
  /** Lets people sign in; `undefined`: it has no endpoints for that. */
  people: People | undefined;
  /** False: it answers 503. */
  isUp = true;
  readonly #server: Server;
  #privateKey: CryptoKey | undefined;
  #keyId = '';
  #published: JWK[] = [];
  #count = 0;

  private constructor(server: Server) {
    const { port } = server.address() as AddressInfo;
    this.#server = server;
    this.url = `http://127.0.0.1:${port}/tenant/v2.0`;
  }

  static async open(): Promise<OidcIssuer> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const issuer = new OidcIssuer(server);
    server.on('request', (request, response) => {
      issuer.requests.push(request.url ?? '');
      if (issuer.isUp && issuer.people?.answer(request, response) === true) return;
      const body = issuer.isUp ? issuer.#answer(request.url ?? '') : undefined;
      response.writeHead(body === undefined ? 503 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body ?? {}));
    });
    await issuer.rotate();
    return issuer;
  }

  #answer(path: string): unknown {
    if (path.endsWith('/.well-known/openid-configuration')) {
      return {
        ...{ issuer: this.url, jwks_uri: `${this.url}/keys` },
        ...(this.people && {
          authorization_endpoint: `${this.url}/authorize`,
          token_endpoint: `${this.url}/token`,
        }),
      };
    }
    return path.endsWith('/keys') ? { keys: this.#published } : undefined;
  }

  /** Signs with a new key from now on; the old ones stay published unless they are withdrawn. */
  async rotate({ withdraw = false } = {}): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
    this.#count += 1;
    this.#keyId = `key${this.#count}`;
    this.#privateKey = privateKey;
    const jwk = { ...(await exportJWK(publicKey)), kid: this.#keyId, alg: ALGORITHM, use: 'sig' };
    this.#published = withdraw ? [jwk] : [...this.#published, jwk];
  }

  token({ claims = {}, expiresAt = Date.now() + HOUR_MS }: TokenOptions = {}): Promise<string> {
    if (this.#privateKey === undefined) throw new Error('the issuer has no key');
    const usual = { iss: this.url, aud: AUDIENCE, sub: 'somebody' };
    const exp = Math.floor(expiresAt / 1_000);
    return new SignJWT({ ...usual, exp, ...claims })
      .setProtectedHeader({ alg: ALGORITHM, kid: this.#keyId })
      .sign(this.#privateKey);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
