import type { TokenCredential } from '@azure/identity';
import { describeError } from '../../telemetry/logger.ts';
import { HttpCallError } from './http-call-error.ts';

/** Gives the bearer tokens that `tokenSource` of `callHttp` asks for. */
export interface TokenSource {
  getToken(source: object, signal: AbortSignal): Promise<string>;
}

/**
 * Tokens of the app's own identity. The library is loaded when the first one is needed, and keeps
 * them until shortly before they expire.
 */
export function createTokenSource(): TokenSource {
  let credential: Promise<TokenCredential> | undefined;
  return {
    async getToken(source, signal) {
      const resource = resourceOf(source);
      credential ??= openCredential();
      try {
        const token = await (await credential).getToken(scopeOf(resource), { abortSignal: signal });
        if (token !== null) return token.token;
      } catch (cause) {
        const text = `No token for ${resource}: ${describeError(cause)}`;
        throw new HttpCallError(text, { cause });
      }
      throw new HttpCallError(`No token for ${resource}`, {});
    },
  };
}

async function openCredential(): Promise<TokenCredential> {
  const { DefaultAzureCredential } = await import('@azure/identity');
  return new DefaultAzureCredential();
}

function resourceOf(source: object): string {
  const { resource, kind = 'AzureManagedIdentity' } = source as Record<string, unknown>;
  if (typeof resource === 'string' && resource !== '' && kind === 'AzureManagedIdentity') {
    return resource;
  }
  throw new HttpCallError(
    'tokenSource must be a ManagedIdentityTokenSource: new df.ManagedIdentityTokenSource(resource)',
    { isFinal: true },
  );
}

/** A resource as `callHttp` takes it, in the form that the identity platform wants now. */
function scopeOf(resource: string): string {
  return resource.endsWith('/.default') ? resource : `${resource.replace(/\/$/, '')}/.default`;
}
