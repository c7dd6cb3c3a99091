/** Why an instance does not go on: each thing that stands between it and its next step, and who could take it. */
import type { Outstanding, OutstandingWork } from '../storage/inspection.ts';
import type { WorkKind } from '../storage/store.ts';
import { isTerminal } from '../core/instance.ts';
import { OrchestrationStatus } from '../proto/orchestrator_service_pb.ts';
import { verdictOf, type Verdict, type WorkerInfo } from './worker-info.ts';

export type WaitCode =
  | 'scheduled'
  | 'suspended'
  | 'hub-has-no-worker'
  | 'name-not-taken'
  | 'version-not-taken'
  | 'all-busy'
  | 'with-worker'
  | 'worker-lost'
  | 'given-back'
  | 'poisoned'
  | 'timer'
  | 'child'
  | 'turn-due'
  | 'event';

/** `problem`: nothing will happen by itself. `load`: something will, later. */
export type WaitClass = 'normal' | 'load' | 'problem';

export interface WorkerVerdict {
  readonly stream: number;
  readonly workerId: string | undefined;
  readonly verdict: Verdict;
}

export interface WaitItem {
  readonly code: WaitCode;
  readonly class: WaitClass;
  /** Of queued work; `undefined` for timers, children and events. */
  readonly work?: {
    readonly kind: WorkKind;
    readonly name: string;
    readonly version: string;
    /** Id of the history event that scheduled it. */
    readonly eventId: number | undefined;
    readonly attempts: number;
    readonly abandons: number;
  };
  /** Of the worker that has it. */
  readonly holder?: { readonly workerId: string | undefined; readonly sinceAt: number };
  readonly workers?: readonly WorkerVerdict[];
  /** When it fires, starts or is handed out again; epoch ms. */
  readonly dueAt?: number;
  /** The child that is waited for. */
  readonly child?: { readonly instanceId: string; readonly name: string; readonly status: number };
  /** The protocol does not say so; it follows from there being nothing else. */
  readonly isInferred: boolean;
}

export interface WaitEnv {
  readonly now: number;
  /** Of the instance's hub. */
  readonly workers: readonly WorkerInfo[];
}

/** Nothing for an instance that has ended. */
export function explainWaiting(found: Outstanding, env: WaitEnv): readonly WaitItem[] {
  const { row, turn, activities, timers, children } = found;
  if (isTerminal(row.status)) return [];
  const items: WaitItem[] = [];
  if (found.isSuspended) items.push(normal('suspended'));
  const isScheduled =
    row.status === OrchestrationStatus.PENDING && (row.scheduledAt ?? 0) > env.now;
  if (isScheduled && row.scheduledAt !== undefined) {
    return [...items, { ...normal('scheduled'), dueAt: row.scheduledAt }];
  }
  if (turn) items.push(explainWork(turn, env));
  for (const activity of activities) items.push(explainWork(activity, env));
  for (const { dueAt } of timers) items.push({ ...normal('timer'), dueAt });
  for (const { instanceId, name, status } of children) {
    items.push({ ...normal('child'), child: { instanceId, name, status } });
  }
  if (items.length === 0) items.push({ ...normal('event'), isInferred: true });
  return [...items].sort((a, b) => RANK[a.class] - RANK[b.class]);
}

const RANK: Readonly<Record<WaitClass, number>> = { problem: 0, load: 1, normal: 2 };

function normal(code: WaitCode): WaitItem {
  return { code, class: 'normal', isInferred: false };
}

function explainWork(work: OutstandingWork, env: WaitEnv): WaitItem {
  const { kind, name, version, eventId, attempts, abandons } = work;
  const common = {
    work: { kind, name, version, eventId, attempts, abandons },
    isInferred: false,
  };
  const holder = holderOf(work, env.workers);
  if (work.isParked) return { ...common, code: 'poisoned', class: 'problem' };
  if (work.readyAt === undefined) {
    return { ...common, code: 'with-worker', class: 'normal', ...(holder && { holder }) };
  }
  if (work.readyAt > env.now) {
    const code = abandons > 0 ? 'given-back' : 'worker-lost';
    return { ...common, code, class: 'problem', dueAt: work.readyAt };
  }
  return { ...common, ...explainQueued(work, env) };
}

function holderOf(
  { token }: OutstandingWork,
  workers: readonly WorkerInfo[],
): WaitItem['holder'] | undefined {
  for (const { workerId, held } of workers) {
    const item = held.find((each) => each.token === token);
    if (item) return { workerId, sinceAt: item.sinceAt };
  }
  return undefined;
}

function explainQueued(
  work: OutstandingWork,
  { workers }: WaitEnv,
): Pick<WaitItem, 'code' | 'class' | 'workers'> {
  const verdicts = workers.map((worker) => ({
    stream: worker.stream,
    workerId: worker.workerId,
    verdict: verdictOf(worker, work),
  }));
  const has = (verdict: Verdict): boolean => verdicts.some((each) => each.verdict === verdict);
  if (workers.every(({ isEnding }) => isEnding)) {
    return { code: 'hub-has-no-worker', class: 'problem', workers: verdicts };
  }
  if (has('takes')) return { code: 'turn-due', class: 'normal', workers: verdicts };
  if (has('full')) return { code: 'all-busy', class: 'load', workers: verdicts };
  const code = has('version') ? 'version-not-taken' : 'name-not-taken';
  return { code, class: 'problem', workers: verdicts };
}
