/** What Azure's host does before an app's code runs: functions of `authLevel` function or admin need the key. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Listing {
  readonly config: {
    readonly bindings: readonly { readonly route?: string; readonly authLevel?: string }[];
  };
}

/** Stands before a dev host, which asks for no keys; what needs one it reads from the host's list of functions. */
export class KeyedFront {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(target: string, key: string): Promise<KeyedFront> {
    const guarded = await guardedRoutes(target);
    const server = createServer((request, response) => {
      const path = request.url ?? '';
      const needsKey = guarded.some((route) => path.startsWith(`/api/${route}`));
      if (needsKey && request.headers['x-functions-key'] !== key) response.writeHead(401).end();
      else
        void pass(request, target).then(async (answer) => {
          response.writeHead(answer.status, Object.fromEntries(answer.headers));
          response.end(await answer.text());
        });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new KeyedFront(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** The fixed beginnings of routes that are not for everybody. */
async function guardedRoutes(target: string): Promise<readonly string[]> {
  const answer = await fetch(`${target}/admin/functions`);
  const listed = (await answer.json()) as readonly Listing[];
  return listed
    .flatMap(({ config }) => config.bindings)
    .flatMap(({ route, authLevel }) =>
      route === undefined || authLevel === 'anonymous' ? [] : [route.replace(/\{.*/, '')],
    );
}

async function pass(request: IncomingMessage, target: string): Promise<Response> {
  const body = await text(request);
  const { method = 'GET', url = '/' } = request;
  return fetch(target + url, { method, ...(body === '' ? {} : { body }) });
}
