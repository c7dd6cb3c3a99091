import { registerHooks } from 'node:module';
import { findCoreModule } from '../functions/core-module.ts';
import { wrapRegisterHook } from '../functions/invocation-hooks.ts';

/** Where the package's own files are: `src/` or `dist/`. */
const ROOM = new URL('../', import.meta.url).href;
/** `src/index.ts` or `dist/index.js`, whichever this file belongs to. */
const TARGET = new URL(
  `../index${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
).href;
const ORIGINAL = '/node_modules/durable-functions/';

/**
 * Redirects the bare name `durable-functions` from now on. We, and that package itself, keep the
 * real one: its value classes are ours too. No package is loaded here: `@azure/functions` looks for
 * the host once, when it is first loaded, and a preload runs before there is one.
 */
export function registerDurableFunctions(): void {
  registerHooks({
    resolve: (specifier, context, nextResolve) => {
      if (specifier === '@azure/functions') watchHooks();
      return specifier === 'durable-functions' && !keepsOriginal(context.parentURL)
        ? { url: TARGET, shortCircuit: true }
        : nextResolve(specifier, context);
    },
  });
}

function keepsOriginal(parentUrl: string | undefined): boolean {
  return parentUrl !== undefined && (parentUrl.startsWith(ROOM) || parentUrl.includes(ORIGINAL));
}

/** An app's first file may register its hooks before another one asks for `durable-functions`. */
function watchHooks(): void {
  const core = findCoreModule();
  if (core !== undefined) wrapRegisterHook(core);
}
