/**
 * One action on many orchestrations. Jobs live as long as this process; what they did is in the store as if each had
 * been asked for alone.
 */
import type { Clock } from '../../../base/clock.ts';
import type { IdSource } from '../../../base/ids.ts';
import { nextLoop } from '../../../base/yield.ts';
import { TaskHubError } from '../../../core/errors.ts';
import type { RowFilter, RowKey } from '../../../storage/inspection.ts';
import type { HttpAppOptions } from '../http-app.ts';
import { ACT, type Action, type ActionArgs } from './actions.ts';
import type { BulkJobJson, BulkResultsJson } from './contract.ts';
import { iso } from './route.ts';

/** Instances acted on at the same time: they share rounds, and leave room for others. */
const STEP = 50;
/** Skipped and failed ids that are kept; more are only counted. */
const RESULTS_MAX = 10_000;
/** Jobs that are remembered. */
const JOBS_MAX = 100;
/** Matches that are counted before a job begins. */
const TOTAL_MAX = 10_000;

export type BulkTarget = { readonly ids: readonly string[] } | { readonly filter: RowFilter };

export interface BulkRequest {
  readonly hub: string;
  readonly action: Action;
  readonly target: BulkTarget;
  readonly args: ActionArgs;
}

export interface BulkJobsOptions {
  readonly engine: HttpAppOptions['engine'];
  readonly clock: Clock;
  readonly ids: IdSource;
}

interface Job extends BulkRequest {
  readonly id: string;
  readonly createdAt: number;
  finishedAt: number | undefined;
  state: BulkJobJson['state'];
  total: number;
  isTotalCapped: boolean;
  done: number;
  skipped: number;
  failed: number;
  error: string | undefined;
  readonly results: BulkResultsJson['items'];
}

export class BulkJobs {
  readonly #options: BulkJobsOptions;
  readonly #jobs = new Map<string, Job>();
  /** One runs at a time in each hub. */
  readonly #queues = new Map<string, Promise<void>>();

  constructor(options: BulkJobsOptions) {
    this.#options = options;
  }

  start(request: BulkRequest): BulkJobJson {
    const { clock, ids } = this.#options;
    const job: Job = {
      ...request,
      ...{ id: ids.uuid(), createdAt: clock.now(), finishedAt: undefined, state: 'queued' },
      ...{ total: 0, isTotalCapped: false, done: 0, skipped: 0, failed: 0, error: undefined },
      results: [],
    };
    this.#jobs.set(job.id, job);
    for (const id of [...this.#jobs.keys()].slice(0, -JOBS_MAX)) this.#jobs.delete(id);
    const before = this.#queues.get(job.hub) ?? Promise.resolve();
    this.#queues.set(
      job.hub,
      before.then(() => this.#run(job)),
    );
    return jobJson(job);
  }

  list(hub: string): readonly BulkJobJson[] {
    const jobs = [...this.#jobs.values()].filter((job) => job.hub === hub);
    return jobs.reverse().map(jobJson);
  }

  get(hub: string, id: string): BulkJobJson | undefined {
    const job = this.#find(hub, id);
    return job && jobJson(job);
  }

  results(hub: string, id: string): BulkResultsJson | undefined {
    const job = this.#find(hub, id);
    if (!job) return undefined;
    return { items: job.results, isCut: job.skipped + job.failed > job.results.length };
  }

  /** Stops between two steps; what was done stays done. */
  cancel(hub: string, id: string): BulkJobJson | undefined {
    const job = this.#find(hub, id);
    if (job?.state === 'queued' || job?.state === 'running') job.state = 'cancelling';
    return job && jobJson(job);
  }

  #find(hub: string, id: string): Job | undefined {
    const job = this.#jobs.get(id);
    return job?.hub === hub ? job : undefined;
  }

  /** Never rejects: the next job of the hub waits for it. */
  async #run(job: Job): Promise<void> {
    try {
      if (job.state === 'queued') job.state = 'running';
      await this.#count(job);
      for await (const ids of this.#targets(job)) {
        if (job.state !== 'running') break;
        await Promise.all(ids.map((id) => this.#act(job, id)));
        await nextLoop();
      }
      job.state = job.state === 'running' ? 'completed' : 'cancelled';
    } catch (error) {
      job.state = 'failed';
      job.error = error instanceof Error ? error.message : String(error);
    }
    job.total = Math.max(job.total, job.done + job.skipped + job.failed);
    job.finishedAt = this.#options.clock.now();
  }

  async #count(job: Job): Promise<void> {
    if ('ids' in job.target) {
      job.total = job.target.ids.length;
      return;
    }
    const { stored } = this.#options.engine.inspector;
    const found = await stored.count(job.hub, job.target.filter, TOTAL_MAX);
    job.total = found.count;
    job.isTotalCapped = found.isCapped;
  }

  /** In the order of their creation, so that what leaves the filter on the way moves no page. */
  async *#targets({ hub, target }: Job): AsyncGenerator<readonly string[]> {
    if ('ids' in target) {
      for (let from = 0; from < target.ids.length; from += STEP) {
        yield target.ids.slice(from, from + STEP);
      }
      return;
    }
    const { stored } = this.#options.engine.inspector;
    let after: RowKey | undefined;
    do {
      const page = await stored.rows({
        ...{ hub, filter: target.filter, sort: 'created', isDescending: false },
        ...{ after, isBackwards: false, limit: STEP },
      });
      if (page.items.length > 0) yield page.items.map(({ instanceId }) => instanceId);
      after = page.next;
    } while (after);
  }

  async #act(job: Job, instanceId: string): Promise<void> {
    try {
      const { engine } = this.#options;
      // The engine drops these silently for an ended instance; a job says that it did nothing.
      const isSkipped = DROPPED.has(job.action) && (await this.#hasEnded(job.hub, instanceId));
      if (isSkipped) {
        note(job, instanceId, 'skipped', { code: 'WRONG_STATE', message: 'It has ended.' });
        return;
      }
      await ACT[job.action](engine, { hub: job.hub, instanceId }, job.args);
      job.done += 1;
    } catch (error) {
      if (!(error instanceof TaskHubError)) {
        note(job, instanceId, 'failed', { code: 'INTERNAL', message: String(error) });
        return;
      }
      const outcome = HARMLESS.has(error.code) ? 'skipped' : 'failed';
      note(job, instanceId, outcome, error);
    }
  }

  async #hasEnded(hub: string, instanceId: string): Promise<boolean> {
    const [row] = await this.#options.engine.inspector.stored.rowsById(hub, [instanceId]);
    return row?.completedAt !== undefined;
  }
}

const DROPPED: ReadonlySet<Action> = new Set(['suspend', 'resume', 'terminate']);
const HARMLESS: ReadonlySet<string> = new Set(['WRONG_STATE', 'INSTANCE_NOT_FOUND']);

function note(
  job: Job,
  id: string,
  outcome: 'skipped' | 'failed',
  { code, message: detail }: { readonly code: string; readonly message: string },
): void {
  job[outcome] += 1;
  if (job.results.length < RESULTS_MAX) job.results.push({ id, outcome, code, detail });
}

function jobJson(job: Job): BulkJobJson {
  const { id, action, state, total, isTotalCapped, done, skipped, failed, error } = job;
  return {
    ...{ id, action, state, total, isTotalCapped, done, skipped, failed },
    createdAt: iso(job.createdAt),
    ...(job.finishedAt !== undefined && { finishedAt: iso(job.finishedAt) }),
    ...(error !== undefined && { error }),
  };
}
