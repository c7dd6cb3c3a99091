import type { ScaleQuestion } from '../scale/monitor.ts';

/** What a management request asks for; texts are decoded. */
export type ManagementOperation =
  | {
      readonly kind: 'start';
      readonly functionName: string;
      readonly instanceId: string | undefined;
    }
  | {
      readonly kind: 'instance';
      /** In lower case, as it is signed: `status`, `raiseevent`, `terminate` … */
      readonly operation: InstanceOperation;
      readonly instanceId: string;
      /** Only of `raiseevent`. */
      readonly eventName: string;
    }
  | { readonly kind: 'list' }
  | { readonly kind: 'purgeMany' }
  | { readonly kind: 'scale'; readonly question: ScaleQuestion }
  /** All entities, or all of a name. */
  | { readonly kind: 'entities'; readonly name: string | undefined }
  | {
      readonly kind: 'entity';
      readonly operation: 'read' | 'signal' | 'delete';
      readonly name: string;
      readonly key: string;
    };

export type InstanceOperation =
  'status' | 'raiseevent' | 'terminate' | 'suspend' | 'resume' | 'rewind' | 'restart' | 'purge';

const INSTANCE_VERBS: readonly string[] = ['terminate', 'suspend', 'resume', 'rewind', 'restart'];

/**
 * Reads verb and path (below the management route, without a leading slash). Literal segments ignore
 * case. `undefined`: there is no such route, or its text is not a valid path.
 */
export function readOperation(method: string, path: string): ManagementOperation | undefined {
  const segments = decodeSegments(path);
  if (segments === undefined) return undefined;
  const [collection = '', ...rest] = segments;
  switch (collection.toLowerCase()) {
    case 'orchestrators':
      return readStart(method, rest);
    case 'instances':
      return readInstance(method, rest);
    case 'entities':
      return readEntity(method, rest);
    case 'scale':
    case 'health':
      return readScale(`${method} ${segments.join('/').toLowerCase()}`);
    default:
      return undefined;
  }
}

const SCALE_ROUTES: Readonly<Record<string, ScaleQuestion>> = {
  'GET scale/metrics': 'metrics',
  'POST scale/status': 'status',
  'GET scale/prometheus': 'prometheus',
  'GET health': 'ready',
  'GET health/live': 'live',
  'GET health/ready': 'ready',
};

function readScale(route: string): ManagementOperation | undefined {
  const question = SCALE_ROUTES[route];
  return question && { kind: 'scale', question };
}

function readStart(method: string, rest: readonly string[]): ManagementOperation | undefined {
  const [functionName, instanceId] = rest;
  if (method !== 'POST' || functionName === undefined || rest.length > 2) return undefined;
  return { kind: 'start', functionName, instanceId };
}

function readInstance(method: string, rest: readonly string[]): ManagementOperation | undefined {
  const [instanceId, verb, eventName] = rest;
  if (instanceId === undefined) return readCollection(method);
  if (verb === undefined) {
    if (method === 'DELETE') return instance('purge', instanceId);
    return method === 'GET' ? instance('status', instanceId) : undefined;
  }
  if (method !== 'POST') return undefined;
  const word = verb.toLowerCase();
  if (word === 'raiseevent') {
    const isComplete = eventName !== undefined && rest.length === 3;
    return isComplete ? instance('raiseevent', instanceId, eventName) : undefined;
  }
  if (rest.length !== 2) return undefined;
  return INSTANCE_VERBS.includes(word)
    ? instance(word as InstanceOperation, instanceId)
    : undefined;
}

function readEntity(method: string, rest: readonly string[]): ManagementOperation | undefined {
  const [name, key] = rest;
  if (name === undefined || key === undefined) {
    return method === 'GET' ? { kind: 'entities', name } : undefined;
  }
  if (rest.length > 2) return undefined;
  switch (method) {
    case 'GET':
      return { kind: 'entity', operation: 'read', name, key };
    case 'POST':
      return { kind: 'entity', operation: 'signal', name, key };
    case 'DELETE':
      return { kind: 'entity', operation: 'delete', name, key };
    default:
      return undefined;
  }
}

function readCollection(method: string): ManagementOperation | undefined {
  if (method === 'GET') return { kind: 'list' };
  return method === 'DELETE' ? { kind: 'purgeMany' } : undefined;
}

function instance(
  operation: InstanceOperation,
  instanceId: string,
  eventName = '',
): ManagementOperation {
  return { kind: 'instance', operation, instanceId, eventName };
}

/** Decodes each segment by itself, so that an encoded slash stays part of its id. */
function decodeSegments(path: string): string[] | undefined {
  const parts = path.replace(/\/$/, '').split('/');
  try {
    const segments = parts.map((part) => decodeURIComponent(part));
    return segments.includes('') ? undefined : segments;
  } catch {
    // A stray % is no path of ours.
    return undefined;
  }
}
