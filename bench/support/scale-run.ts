/** Load that rises and falls, a controller that starts and stops worker processes, and what could be seen meanwhile. */
import { setTimeout as delay } from 'node:timers/promises';
import { TaskHubClient } from '../../src/client/index.ts';
import { scaleSchema } from '../../src/server/http/api/contract.ts';
import type { Controller } from './scale-controllers.ts';
import { ChildProcess } from './child-process.ts';
import { WorkerPool } from './worker-pool.ts';

export interface ScaleRunOptions {
  readonly storage: string;
  /** How long the load lasts. */
  readonly loadMs: number;
  /** Orchestrations a second at the top of the load. */
  readonly peakPerSecond: number;
  /** How often a batch of them is started: work that comes in waves is what makes scaling flap. */
  readonly waveMs: number;
  readonly activitiesPerWorker: number;
  readonly activityMs: number;
  readonly minWorkers: number;
  readonly openController: (server: ChildProcess) => Controller;
  readonly onProgress: (line: string) => void;
}

/** What was seen at one time. */
export interface ScalePoint {
  /** Since the load began. */
  readonly atMs: number;
  readonly started: number;
  readonly completed: number;
  /** Pending and active work items of all kinds. */
  readonly backlog: number;
  readonly rawTarget: number;
  readonly target: number;
  readonly workers: number;
}

export interface ScaleFigures {
  readonly started: number;
  readonly completed: number;
  readonly backlogPeak: number;
  readonly workersMin: number;
  readonly workersMax: number;
  readonly workersEnd: number;
  /** How often the number of workers, once it rose, fell, and the other way round: 1 is a hill without flapping. */
  readonly directionChanges: number;
  /** The same of what the load of each moment asked for. */
  readonly rawDirectionChanges: number;
  readonly seconds: number;
}

const CONTROL_MS = 500;
const SAMPLE_MS = 250;
const PROGRESS_MS = 2000;
const WORKER = new URL('../processes/worker-scaled.ts', import.meta.url);
const SERVER = new URL('../processes/server.ts', import.meta.url);

/** Ends when all that was started has ended and the workers are back at the minimum. */
export async function runScale(options: ScaleRunOptions): Promise<readonly ScalePoint[]> {
  const server = await ChildProcess.open({ file: SERVER, args: [options.storage] });
  const { activitiesPerWorker, activityMs, minWorkers } = options;
  const pool = new WorkerPool(
    WORKER,
    [server.endpoint, activitiesPerWorker, activityMs].map((argument) => String(argument)),
  );
  const controller = options.openController(server);
  const client = TaskHubClient.open({ endpoint: server.endpoint, taskHub: 'default' });
  try {
    await pool.resize(minWorkers);
    return await new ScaleRun({ ...options, server, pool, controller, client }).run();
  } finally {
    controller.close();
    await pool.close();
    await client.close();
    await server.close();
  }
}

interface Parts extends ScaleRunOptions {
  readonly server: ChildProcess;
  readonly pool: WorkerPool;
  readonly controller: Controller;
  readonly client: TaskHubClient;
}

class ScaleRun {
  readonly #parts: Parts;
  readonly #points: ScalePoint[] = [];
  readonly #startedAt = performance.now();
  #decision = { rawTarget: 0, target: 0 };
  #started = 0;
  #completed = 0;
  #isDone = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#decision = { rawTarget: parts.minWorkers, target: parts.minWorkers };
  }

  async run(): Promise<readonly ScalePoint[]> {
    const progress = setInterval(() => {
      this.#parts.onProgress(this.#describe());
    }, PROGRESS_MS);
    try {
      await Promise.all([this.#load(), this.#control(), this.#watch()]);
    } finally {
      clearInterval(progress);
      this.#isDone = true;
    }
    return this.#points;
  }

  get #nowMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** A hill: none at both ends, the peak in the middle. */
  async #load(): Promise<void> {
    const { loadMs, peakPerSecond, waveMs } = this.#parts;
    const ends: Promise<void>[] = [];
    for (let atMs = waveMs; atMs < loadMs; atMs += waveMs) {
      await delay(Math.max(0, atMs - this.#nowMs));
      const share = Math.sin((Math.PI * atMs) / loadMs) ** 2;
      const count = Math.round((share * peakPerSecond * waveMs) / 1000);
      for (let each = 0; each < count; each++) ends.push(this.#runOne());
    }
    await Promise.all(ends);
    await this.#until(() => this.#parts.pool.size === this.#parts.minWorkers);
    await delay(SAMPLE_MS * 8);
    this.#isDone = true;
  }

  async #runOne(): Promise<void> {
    const { client } = this.#parts;
    const id = await client.scheduleNewOrchestration('Job');
    this.#started += 1;
    const state = await client.waitForOrchestrationCompletion(id, false, 600);
    if (state?.serializedOutput === undefined && state?.failureDetails) {
      throw new Error(`an orchestration failed: ${state.failureDetails.message}`);
    }
    this.#completed += 1;
  }

  async #control(): Promise<void> {
    const { controller, pool } = this.#parts;
    while (!this.#isDone) {
      this.#decision = await controller.decide(pool.size);
      await pool.resize(this.#decision.target);
      await delay(CONTROL_MS);
    }
  }

  async #watch(): Promise<void> {
    while (!this.#isDone) {
      const backlog = await readBacklog(this.#parts.server.httpEndpoint);
      const { rawTarget, target } = this.#decision;
      this.#points.push({
        ...{ atMs: this.#nowMs, started: this.#started, completed: this.#completed },
        ...{ backlog, rawTarget, target, workers: this.#parts.pool.size },
      });
      await delay(SAMPLE_MS);
    }
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await delay(SAMPLE_MS);
  }

  #describe(): string {
    const { backlog = 0 } = this.#points.at(-1) ?? {};
    return [
      `${Math.round(this.#nowMs / 1000)} s`,
      `${this.#started} started, ${this.#completed} completed`,
      `backlog ${backlog}`,
      `target ${this.#decision.target}`,
      `workers ${this.#parts.pool.size}`,
    ].join(', ');
  }
}

async function readBacklog(httpEndpoint: string): Promise<number> {
  const answer = await fetch(`${httpEndpoint}/api/v1/hubs/default/scale`);
  const { kinds } = scaleSchema.parse(await answer.json());
  return Object.values(kinds).reduce((sum, { pending, active }) => sum + pending + active, 0);
}

/** What a run comes to. */
export function figuresOf(points: readonly ScalePoint[]): ScaleFigures {
  const workers = points.map((point) => point.workers);
  const last = points.at(-1);
  if (last === undefined) throw new Error('a run without a single look at it');
  return {
    ...{ started: last.started, completed: last.completed },
    backlogPeak: Math.max(...points.map(({ backlog }) => backlog)),
    ...{ workersMin: Math.min(...workers), workersMax: Math.max(...workers) },
    workersEnd: last.workers,
    directionChanges: directionChanges(workers),
    rawDirectionChanges: directionChanges(points.map(({ rawTarget }) => rawTarget)),
    seconds: last.atMs / 1000,
  };
}

function directionChanges(values: readonly number[]): number {
  const steps = values
    .slice(1)
    .map((value, index) => Math.sign(value - (values[index] ?? 0)))
    .filter((step) => step !== 0);
  return steps.slice(1).filter((step, index) => step !== steps[index]).length;
}
