/** Asks who is there, over whatever was on the page. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { MeJson, SignInJson } from '../../server/http/api/sign-in-contract.ts';
import { get } from '../api.ts';
import { authorize, refresh, RETURN_PATH, type Client, type Tokens } from '../authorize.ts';
import { reconnect, resync } from '../live.ts';
import { enter, me, session } from '../session.ts';
import { ProblemCard } from '../parts/basics.tsx';
import { useData } from '../parts/use-data.ts';

/** A token is renewed so long before it ends, in ms. */
const RENEWAL_MS = 60_000;

/** Throws when the scheduler does not take the token. */
async function goIn(token: string): Promise<void> {
  enter(token);
  me.value = await get<MeJson>('/api/v1/me');
  session.value = 'in';
  resync.value += 1;
  reconnect();
}

/** Keeps the session up as long as the issuer renews it; after that the scheduler asks again. */
function renewInTime(client: Client, { refreshToken, lifetimeMs }: Tokens): void {
  if (refreshToken === undefined || lifetimeMs === undefined) return;
  setTimeout(
    () => {
      if (session.value !== 'in') return;
      refresh(client, refreshToken).then(
        (next) => {
          enter(next.accessToken);
          renewInTime(client, { ...next, refreshToken: next.refreshToken ?? refreshToken });
        },
        () => undefined, // The next call that is refused asks the person.
      );
    },
    Math.max(lifetimeMs / 2, lifetimeMs - RENEWAL_MS),
  );
}

export function SignIn(): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const { data, error: unknown, reload } = useData<SignInJson>('/api/v1/sign-in');
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => button.current?.focus(), [data]);
  const attempt = (work: () => Promise<void>): void => {
    setBusy(true);
    setError(undefined);
    work()
      .catch(setError)
      .finally(() => setBusy(false));
  };
  const client = data?.client;
  const isEnded = session.value === 'ended';
  return (
    <dialog ref={dialog} aria-label="Sign in" onCancel={(event) => event.preventDefault()}>
      <div class="head">
        <h2>{isEnded ? 'Your session ended' : 'Sign in'}</h2>
      </div>
      <p>
        {isEnded
          ? 'Sign in to go on; nothing you typed is lost.'
          : 'This scheduler asks everybody who they are.'}
      </p>
      {unknown !== undefined && <ProblemCard error={unknown} onRetry={reload} />}
      {error !== undefined && <ProblemCard error={error} />}
      {client && isSecureContext && (
        <p>
          <button
            ref={button}
            type="button"
            class="primary"
            disabled={isBusy}
            onClick={() =>
              attempt(async () => {
                const tokens = await authorize(client);
                await goIn(tokens.accessToken);
                renewInTime(client, tokens);
              })
            }
          >
            {isBusy
              ? 'Waiting for the sign-in window …'
              : `Sign in at ${new URL(client.issuer).host}`}
          </button>
        </p>
      )}
      {client && !isSecureContext && (
        <p class="error">
          Browsers sign in only on https pages and on localhost. Open this dashboard in one of these
          ways, or use a token.
        </p>
      )}
      {data && !client && (
        <p>
          It names no client to sign in with. Whoever runs it can set{' '}
          <code>--sign-in-client-id</code> and register{' '}
          <code>
            {location.origin}
            {RETURN_PATH}
          </code>{' '}
          at the issuer.
        </p>
      )}
      <UseToken
        isOpen={data !== undefined && !client}
        isBusy={isBusy}
        onToken={(token) => attempt(() => goIn(token))}
      />
    </dialog>
  );
}

interface UseTokenProps {
  readonly isOpen: boolean;
  readonly isBusy: boolean;
  readonly onToken: (token: string) => void;
}

function UseToken({ isOpen, isBusy, onToken }: UseTokenProps): JSX.Element {
  const [token, setToken] = useState('');
  return (
    <details open={isOpen}>
      <summary>Use a token</summary>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          onToken(token.trim());
        }}
      >
        <label class="field">
          <span>Bearer token; it is kept in this tab only</span>
          <input
            type="password"
            autocomplete="off"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <p class="meta">
          With Entra ID: <code>az account get-access-token --resource https://durabletask.io</code>
        </p>
        <div class="row end">
          <button type="submit" disabled={isBusy || token.trim() === ''}>
            Use this token
          </button>
        </div>
      </form>
    </details>
  );
}
