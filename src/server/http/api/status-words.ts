/** The product's words for statuses. */
import type { RuntimeStatus } from '../../../core/instance.ts';
import { OrchestrationStatus } from '../../../proto/orchestrator_service_pb.ts';
import type { StatusWord } from './contract.ts';

const WORDS: Readonly<Record<OrchestrationStatus, StatusWord>> = {
  [OrchestrationStatus.PENDING]: 'Pending',
  [OrchestrationStatus.RUNNING]: 'Running',
  [OrchestrationStatus.SUSPENDED]: 'Suspended',
  [OrchestrationStatus.COMPLETED]: 'Completed',
  [OrchestrationStatus.FAILED]: 'Failed',
  [OrchestrationStatus.TERMINATED]: 'Terminated',
  [OrchestrationStatus.CANCELED]: 'Canceled',
  [OrchestrationStatus.CONTINUED_AS_NEW]: 'ContinuedAsNew',
};

export function statusWord(status: RuntimeStatus): StatusWord {
  const word = WORDS[status];
  if (word === undefined) throw new RangeError(`unknown status ${String(status)} in the database`);
  return word;
}

const STATUSES = new Map(
  Object.entries(WORDS).map(([status, word]) => [word, Number(status) as RuntimeStatus]),
);

export function statusOf(word: StatusWord): RuntimeStatus {
  return STATUSES.get(word) ?? OrchestrationStatus.PENDING;
}
