import { didYouMean } from '../config/did-you-mean.ts';
import type { HostJson } from '../config/host-json.ts';
import { isJsonObject } from '../config/json-with-comments.ts';
import type { JsonObject } from '../config/json-with-comments.ts';

/** One setting below `extensions.durableTask` of host.json. */
export interface HostSetting {
  /** As the product spells it; names are compared without case. */
  readonly name: string;
  /** What it does here, or why it does nothing. */
  readonly text: string;
  /** `honoured`; or `fixed`: the same whatever is written, and a warning unless `value` is. */
  readonly kind: 'honoured' | 'fixed';
  /** Of a fixed setting: what would change nothing. */
  readonly value?: string | boolean | undefined;
}

const honoured = (name: string, text: string): HostSetting => ({ name, text, kind: 'honoured' });
const fixed = (name: string, text: string, value?: string | boolean): HostSetting => ({
  ...{ name, text, kind: 'fixed', value },
});

/** Every setting that Durable Functions documents. The table in docs/OPERATIONS.md is made of it. */
export const HOST_SETTINGS: readonly HostSetting[] = [
  honoured('hubName', 'task hub; wins over the connection string; `%NAME%` is an app setting'),
  honoured('storageProvider.type', 'must be `azureManaged`'),
  honoured('storageProvider.connectionStringName', 'the app setting with the connection string'),
  honoured('storageProvider.connectionName', 'the same, by its other name'),
  honoured(
    'maxConcurrentActivityFunctions',
    'activities at once in the whole host: shared out among its worker processes; 10 per core',
  ),
  honoured('maxConcurrentOrchestratorFunctions', 'orchestrator turns at once; the same'),
  honoured('maxConcurrentEntityFunctions', 'entities at once; the same'),
  honoured('maxOrchestrationActions', 'actions that one turn may ask for; 100,000'),
  honoured(
    'extendedSessionsEnabled',
    'false: no orchestrator stays in memory, each turn replays. Default: true',
  ),
  honoured('extendedSessionIdleTimeoutInSeconds', 'how long one stays without a turn; 300'),
  honoured('defaultVersion', 'version of new instances and sub-orchestrations'),
  honoured('versionMatchStrategy', '`CurrentOrOlder`, `None` or `Strict`'),
  honoured('versionFailureStrategy', '`Reject` (for another worker) or `Fail`'),
  honoured('overridableExistingInstanceStates', '`AnyState`: a start replaces a live instance'),
  honoured('grpcHttpClientTimeout', 'how long a call of the client may take; 30 s'),
  honoured(
    'httpSettings.defaultAsyncRequestSleepTimeMilliseconds',
    'between polls of `callHttp` when the server does not say; 30,000',
  ),
  honoured('httpSettings.useForwardedHost', 'links name the host that a proxy was asked for'),
  fixed('maxGrpcMessageSizeInBytes', 'messages of any size are taken; large ones are cut'),
  fixed('maxEntityOperationBatchSize', 'the scheduler decides how many operations come at once'),
  fixed('entityMessageReorderWindowInMinutes', 'the scheduler keeps the order of each sender'),
  fixed('rollbackEntityOperationsOnExceptions', 'a failed operation is always rolled back', true),
  fixed('throwStatusExceptionsOnRaiseEvent', 'the HTTP API answers 404 and 410', true),
  fixed('storeInputsInOrchestrationHistory', 'inputs are always in the history', true),
  fixed('useGracefulShutdown', 'work in hand is always waited for', true),
  fixed('useAppLease', 'only for Azure Storage'),
  fixed('appLeaseOptions', 'only for Azure Storage'),
  fixed('localRpcEndpointEnabled', 'there is no endpoint in the host: calls go to the scheduler'),
  honoured('tracing.distributedTracingEnabled', '`false`: no telemetry is exported. Default: true'),
  fixed('tracing.version', 'spans are those of `V2`', 'V2'),
  fixed('tracing.distributedTracingProtocol', 'always W3C trace context', 'W3CTraceContext'),
  fixed('tracing.traceInputsAndOutputs', 'payloads are never logged', false),
  fixed('tracing.traceReplayEvents', 'replays are never traced', false),
  fixed('tracing.allowVerboseLinuxTelemetry', 'telemetry of the .NET extension', false),
  fixed('notifications', 'no events are published to Event Grid: use an activity'),
  fixed('storageProvider', 'only for Azure Storage, Netherite and SQL'),
];

/** A setting that has no effect, and why. */
export interface IdleSetting {
  readonly setting: string;
  readonly reason: string;
}

/** The settings in host.json that change nothing here, each once. */
export function idleSettings(host: HostJson): readonly IdleSetting[] {
  return leaves(host.section('extensions.durableTask') ?? {}, '').flatMap(({ path, value }) => {
    const setting = findSetting(path);
    if (setting === undefined) {
      const names = HOST_SETTINGS.map(({ name }) => name);
      return [{ setting: path, reason: `no such setting${didYouMean(path, names)}` }];
    }
    const isIdle = setting.kind === 'fixed' && !isSame(setting.value, value);
    return isIdle ? [{ setting: path, reason: setting.text }] : [];
  });
}

/** The table of docs/OPERATIONS.md, in markdown. */
export function hostSettingsTable(): string {
  const rows = HOST_SETTINGS.map(({ name, kind, text }) => {
    const effect = kind === 'honoured' ? text : `no effect: ${text}`;
    return `| \`${name}\` | ${effect} |`;
  });
  return ['| Setting | Effect |', '| --- | --- |', ...rows].join('\n');
}

interface Leaf {
  readonly path: string;
  readonly value: unknown;
}

function leaves(object: JsonObject, prefix: string): Leaf[] {
  return Object.entries(object).flatMap(([name, value]) => {
    const path = `${prefix}${name}`;
    return isJsonObject(value) ? leaves(value, `${path}.`) : [{ path, value }];
  });
}

/** The setting of that very name, else the group that it belongs to. */
function findSetting(path: string): HostSetting | undefined {
  const lower = path.toLowerCase();
  const exact = HOST_SETTINGS.find(({ name }) => name.toLowerCase() === lower);
  return exact ?? HOST_SETTINGS.find(({ name }) => lower.startsWith(`${name.toLowerCase()}.`));
}

/** App settings are texts, whatever the file would hold. */
function isSame(expected: string | boolean | undefined, value: unknown): boolean {
  return expected !== undefined && String(expected).toLowerCase() === String(value).toLowerCase();
}
