import { idleTypes } from './binding-types.ts';
import type { IndexedFunction } from './function-index.ts';

/** What the outside is told of one function: plain data, sent from the app's process. */
export interface FunctionListing {
  readonly name: string;
  /** The trigger's binding type, `httpTrigger`; empty when it has none. */
  readonly trigger: string;
  /** Upper case; empty for what is not an HTTP function. */
  readonly methods: readonly string[];
  /** Where an HTTP function is called, with its route template. */
  readonly url: string | undefined;
  readonly isDisabled: boolean;
  /** Binding types that this host knows and leaves alone. */
  readonly idleTypes: readonly string[];
  /** Why it is not served. */
  readonly error: string | undefined;
}

/** `baseUrl` has no slash at its end; `prefix` is the route prefix. */
export function listFunction(
  { name, trigger, isDisabled, error, registered }: IndexedFunction,
  { baseUrl, prefix }: { readonly baseUrl: string; readonly prefix: string },
): FunctionListing {
  const types = Object.values(registered.metadata.bindings).map((binding) => binding.type ?? '');
  const isHttp = error === undefined && trigger?.kind === 'http';
  const path = isHttp ? [prefix, trigger.route.text].filter((part) => part !== '').join('/') : '';
  return {
    name,
    trigger: types.find((type) => /trigger$/i.test(type)) ?? '',
    methods: isHttp ? trigger.methods : [],
    url: isHttp ? `${baseUrl}/${path}` : undefined,
    isDisabled,
    idleTypes: error === undefined ? idleTypes(types) : [],
    error,
  };
}

/** The lines that `func start` prints: HTTP functions with their URLs, others with their trigger. */
export function formatListing(functions: readonly FunctionListing[]): readonly string[] {
  const served = functions.filter(({ error }) => error === undefined);
  const broken = functions.filter(({ error }) => error !== undefined);
  return [
    ...(served.length === 0 ? ['No functions are served by this app.'] : ['', 'Functions:', '']),
    ...served.flatMap((fn) => [`\t${fn.name}: ${describe(fn)}`, '']),
    ...served.filter((fn) => fn.idleTypes.length > 0).map(describeIdle),
    ...broken.map((fn) => `The '${fn.name}' function is in error: ${fn.error ?? ''}`),
  ];
}

function describeIdle({ name, idleTypes: types }: FunctionListing): string {
  return (
    `The '${name}' function has bindings that this host does not serve (${types.join(', ')}): ` +
    `run it with POST /admin/functions/${name}; what it writes to them is dropped.`
  );
}

function describe({ methods, url, trigger, isDisabled }: FunctionListing): string {
  const text = url === undefined ? trigger : `[${methods.join(',')}] ${url}`;
  return isDisabled ? `${text} (disabled)` : text;
}
