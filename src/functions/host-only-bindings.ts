import { invalidArgument } from '../core/errors.ts';

/** What the registration of a durable function asks of the host, as far as it was told. */
export interface HostRequests {
  readonly kind: 'orchestration' | 'activity' | 'entity';
  readonly name: string;
  readonly inputs: readonly HostBinding[];
  readonly outputs: readonly HostBinding[];
  readonly hasRetry: boolean;
}

/** A binding, by what identifies it in a message. */
export interface HostBinding {
  readonly name?: unknown;
  readonly type?: unknown;
}

const CLIENT_INPUTS = ['durableclient', 'orchestrationclient'];

const KINDS = { orchestration: 'Orchestration', activity: 'Activity', entity: 'Entity' } as const;

/** True for the input that only says "give me a durable client": no host is needed for it. */
export function isDurableClientInput(binding: HostBinding): boolean {
  return typeof binding.type === 'string' && CLIENT_INPUTS.includes(binding.type.toLowerCase());
}

/**
 * Refuses what only a host could do (INVALID_ARGUMENT): durable functions run inside the worker
 * process, so nobody fills extra inputs, writes extra outputs or repeats a failed invocation.
 */
export function assertNoHostRequests(requests: HostRequests): void {
  const who = `${KINDS[requests.kind]} "${requests.name}"`;
  const why = 'Durable functions run inside the worker process, where no host serves bindings';
  const input = requests.inputs.find((binding) => !isDurableClientInput(binding));
  if (input !== undefined) {
    throw invalidArgument(
      `${who} has the extra input ${describe(input)}. ${why}: remove it from extraInputs and ` +
        `read the data ${place(requests)} with the client library of its service.`,
    );
  }
  const [output] = requests.outputs;
  if (output !== undefined) {
    throw invalidArgument(
      `${who} has the extra output ${describe(output)}. ${why}: remove it from extraOutputs (or ` +
        `return) and write the data ${place(requests)} with the client library of its service.`,
    );
  }
  if (!requests.hasRetry) return;
  throw invalidArgument(
    `${who} has the option "retry". Retries of durable functions belong to the caller: remove the ` +
      `option and call it with retry options, for example .withRetry(new RetryOptions(1000, 3)).`,
  );
}

function describe({ name, type }: HostBinding): string {
  const typed = `of type "${String(type)}"`;
  return typeof name === 'string' && name !== '' ? `"${name}" ${typed}` : typed;
}

function place({ kind }: HostRequests): string {
  return kind === 'orchestration' ? 'in an activity' : 'in the handler';
}
