/** `node two-tokens.ts <resource>`: asks the token source of `callHttp` twice and prints what it gave, as JSON. */
import { createTokenSource } from '../../../src/functions/http-call/token-source.ts';

async function main(): Promise<void> {
  const [resource] = process.argv.slice(2);
  const source = { kind: 'AzureManagedIdentity', resource };
  const tokens = createTokenSource();
  const { signal } = new AbortController();
  const first = await tokens.getToken(source, signal);
  const second = await tokens.getToken(source, signal);
  process.stdout.write(JSON.stringify([first, second]));
}

void main();
