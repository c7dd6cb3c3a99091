/** Binding types, in lower case, of a host without an extension bundle. */
const BUILT_IN: ReadonlySet<string> = new Set([
  'httptrigger',
  'http',
  'timertrigger',
  'manualtrigger',
  'warmuptrigger',
]);

/**
 * What Microsoft's extension bundle adds for other services. This host reaches none of them: such a
 * function runs when `POST /admin/functions/{name}` asks. Durable types are not among them: the
 * bundle would run them in a way that this host cannot.
 */
const BUNDLE: ReadonlySet<string> = new Set([
  'blobtrigger',
  'blob',
  'queuetrigger',
  'queue',
  'table',
  'servicebustrigger',
  'servicebus',
  'eventhubtrigger',
  'eventhub',
  'eventgridtrigger',
  'eventgrid',
  'cosmosdbtrigger',
  'cosmosdb',
  'sqltrigger',
  'sql',
  'mysqltrigger',
  'mysql',
  'kafkatrigger',
  'kafka',
  'rabbitmqtrigger',
  'rabbitmq',
  'redispubsubtrigger',
  'redislisttrigger',
  'redisstreamtrigger',
  'redis',
  'signalrtrigger',
  'signalrconnectioninfo',
  'signalr',
  'webpubsubtrigger',
  'webpubsubconnection',
  'webpubsubcontext',
  'webpubsub',
  'mcptooltrigger',
  'sendgrid',
  'twiliosms',
  'daprserviceinvocationtrigger',
  'daprbindingtrigger',
  'daprtopictrigger',
]);

/** The host's own text on binding types that it does not know; `undefined` when it knows them all. */
export function unknownTypesText(
  types: readonly string[],
  { hasBundle }: { readonly hasBundle: boolean },
): string | undefined {
  const isKnown = (type: string): boolean =>
    BUILT_IN.has(type.toLowerCase()) || (hasBundle && BUNDLE.has(type.toLowerCase()));
  const unknown = [...new Set(types.filter((type) => !isKnown(type)))];
  if (unknown.length === 0) return undefined;
  const which = `The binding type(s) '${unknown.join(', ')}'`;
  return hasBundle
    ? `${which} were not found in the configured extension bundle. Please ensure the type is correct ` +
        'and the correct version of extension bundle is configured.'
    : `${which} are not registered. Please ensure the type is correct and the binding extension is ` +
        'installed.';
}

/** The bindings of a function, in words, that this host leaves alone although it knows their types. */
export function idleTypes(types: readonly string[]): readonly string[] {
  return [...new Set(types.filter((type) => BUNDLE.has(type.toLowerCase())))];
}
