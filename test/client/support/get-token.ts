/** Asks for the token that a connection string means and prints, as JSON, what became of it. */
import { registerHooks } from 'node:module';

let isIdentityLoaded = false;
registerHooks({
  load(url, context, next) {
    isIdentityLoaded ||= url.includes('/@azure/identity/');
    return next(url, context);
  },
});

const { systemClock } = await import('../../../src/base/clock.ts');
const { parseConnectionString } = await import('../../../src/config/connection-string.ts');
const { createTokenProvider } = await import('../../../src/client/token-provider.ts');
await import('../../../src/worker/index.ts');
await import('../../../src/index.ts');

const identity = parseConnectionString(process.argv[2] ?? '');
const provider = createTokenProvider({ identity, clock: systemClock });
const isLoadedEarly = isIdentityLoaded;
const outcome = await (provider?.getToken({ signal: undefined }) ?? Promise.resolve('none')).then(
  (token) => ({ token }),
  (error: unknown) => ({ error: String(error) }),
);
process.stdout.write(JSON.stringify({ ...outcome, isLoadedEarly, isIdentityLoaded }));
process.exit();
