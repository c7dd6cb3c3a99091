/** Authorization code with PKCE (RFC 7636), in a window of its own: the page and what was typed in it stay. */
import type { SignInJson } from '../server/http/api/sign-in-contract.ts';

export type Client = NonNullable<SignInJson['client']>;

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  /** Milliseconds from now; `undefined`: the issuer did not say. */
  readonly lifetimeMs: number | undefined;
}

/** What the window of the issuer brings home. */
export interface Returned {
  readonly state: string | null;
  readonly code: string | null;
  readonly error: string | null;
  readonly description: string | null;
}

const CHANNEL = 'durabletask-sign-in';
/** Where the issuer sends people back to; it must be registered there. */
export const RETURN_PATH = '/signin';

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function random(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  return base64url(new Uint8Array(digest));
}

function redirectUri(): string {
  return location.origin + RETURN_PATH;
}

/** Asks the issuer in a window; to be called on a click, or the browser opens none. */
export async function authorize(client: Client): Promise<Tokens> {
  const child = window.open('about:blank', CHANNEL, 'popup,width=520,height=700');
  if (!child) throw new Error('The browser opened no window; allow windows of this page.');
  const [state, verifier] = [random(), random()];
  const url = new URL(client.authorizationEndpoint);
  const asked = {
    ...{ response_type: 'code', client_id: client.clientId, redirect_uri: redirectUri() },
    ...{ scope: client.scopes.join(' '), state },
    ...{ code_challenge: await challengeOf(verifier), code_challenge_method: 'S256' },
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  const returned = returnOf(state, child);
  child.location.replace(url.href);
  const { code, error, description } = await returned;
  if (code === null) {
    throw new Error(`${client.issuer} refused: ${description ?? error ?? 'it gave no reason'}`);
  }
  return tokensOf(client, {
    ...{ grant_type: 'authorization_code', code, code_verifier: verifier },
    redirect_uri: redirectUri(),
  });
}

export function refresh(client: Client, refreshToken: string): Promise<Tokens> {
  return tokensOf(client, { grant_type: 'refresh_token', refresh_token: refreshToken });
}

/** What comes back with our state; rejects when the window is closed before. */
function returnOf(state: string, child: Window): Promise<Returned> {
  const channel = new BroadcastChannel(CHANNEL);
  const { promise, resolve, reject } = Promise.withResolvers<Returned>();
  channel.onmessage = ({ data }: MessageEvent<Returned>) => {
    if (data.state === state) resolve(data);
  };
  const timer = setInterval(() => {
    // What the window said last arrives after it is seen to be closed.
    if (child.closed) setTimeout(() => reject(new Error('The sign-in window was closed.')), 1000);
  }, 500);
  return promise.finally(() => {
    clearInterval(timer);
    channel.close();
  });
}

/** In the window: hands over what the issuer said, and closes. */
export function bringHome(search: string): void {
  const params = new URLSearchParams(search);
  const returned: Returned = {
    ...{ state: params.get('state'), code: params.get('code'), error: params.get('error') },
    description: params.get('error_description'),
  };
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(returned);
  channel.close();
  window.close();
}

async function tokensOf(
  { tokenEndpoint, clientId, issuer }: Client,
  grant: Readonly<Record<string, string>>,
): Promise<Tokens> {
  let answer: Response;
  try {
    answer = await fetch(tokenEndpoint, {
      method: 'POST',
      credentials: 'omit',
      body: new URLSearchParams({ ...grant, client_id: clientId }),
    });
  } catch {
    throw new Error(
      `${tokenEndpoint} does not answer this page. The issuer must be up, and must let ${location.origin} call it: register ${redirectUri()} as a single-page application.`,
    );
  }
  const body = (await answer.json().catch(() => ({}))) as Readonly<Record<string, unknown>>;
  const text = (name: string): string | undefined =>
    typeof body[name] === 'string' ? body[name] : undefined;
  const accessToken = text('access_token');
  if (!answer.ok || accessToken === undefined) {
    const why = text('error_description') ?? text('error') ?? `it answered ${answer.status}`;
    throw new Error(`${issuer} gave no token: ${why}`);
  }
  const seconds = Number(body['expires_in']);
  return {
    accessToken,
    refreshToken: text('refresh_token'),
    lifetimeMs: seconds > 0 ? seconds * 1000 : undefined,
  };
}
