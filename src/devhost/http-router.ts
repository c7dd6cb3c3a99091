import { decodePathSegment } from './http-edge.ts';
import type { FunctionTrigger, IndexedFunction } from './function-index.ts';
import { matchRoute } from './route-template.ts';

export interface RouteMatch {
  readonly fn: IndexedFunction;
  readonly params: Readonly<Record<string, string>>;
}

type HttpTrigger = Extract<FunctionTrigger, { readonly kind: 'http' }>;

interface Route {
  readonly fn: IndexedFunction;
  readonly trigger: HttpTrigger;
}

/** Finds the function for a method and path. */
export class HttpRouter {
  readonly #prefix: readonly string[];
  readonly #routes: readonly Route[];

  /** `prefix` is host.json's `extensions.http.routePrefix`: `api`, as a rule; may be empty. */
  constructor(functions: readonly IndexedFunction[], prefix: string) {
    this.#prefix = splitPath(prefix);
    this.#routes = functions
      .flatMap((fn) => {
        const { trigger, error, isDisabled } = fn;
        const isServed = error === undefined && !isDisabled && trigger?.kind === 'http';
        return isServed ? [{ fn, trigger }] : [];
      })
      .sort((a, b) => a.trigger.route.precedence.localeCompare(b.trigger.route.precedence));
  }

  /** The most specific function that takes this method on this path (still percent-encoded). */
  find(method: string, path: string): RouteMatch | undefined {
    const segments = splitPath(path).map((segment) => decodePathSegment(segment));
    const isUnderPrefix = this.#prefix.every(
      (each, index) => segments[index]?.toLowerCase() === each.toLowerCase(),
    );
    if (!isUnderPrefix) return undefined;
    const rest = segments.slice(this.#prefix.length);
    for (const { fn, trigger } of this.#routes) {
      if (!trigger.methods.includes(method)) continue;
      const params = matchRoute(trigger.route, rest);
      if (params !== undefined) return { fn, params };
    }
    return undefined;
  }
}

function splitPath(path: string): string[] {
  const trimmed = path.replace(/^\//, '').replace(/\/$/, '');
  return trimmed === '' ? [] : trimmed.split('/');
}
