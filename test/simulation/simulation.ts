/**
 * One simulated life of a scheduler, its workers and clients: everything that happens is chosen by the seed, so that
 * the same seed gives the same life.
 */
import { hash } from 'node:crypto';
import { silentLogger, type Logger } from '../../src/telemetry/logger.ts';
import { Chaos } from './chaos.ts';
import type { Scenario } from './actor.ts';
import { SCENARIOS } from './scenarios.ts';
import { World } from './world.ts';
import { HUB } from './sim-server.ts';

export interface SimulationOptions {
  readonly seed: number;
  /** What clients do, under names of their own; chosen by the seed if it is not said. */
  readonly scenarios?: Readonly<Record<string, Scenario>>;
  readonly chaosSteps?: number;
  /** How many scenarios a seed may choose at most. */
  readonly scenariosMax?: number;
  /** Told of every step. */
  readonly onStep?: (line: string) => void;
  readonly logger?: Logger;
}

export interface SimulationResult {
  readonly seed: number;
  /** `undefined`: everything held. */
  readonly violation: string | undefined;
  readonly steps: number;
  readonly faults: number;
  readonly instances: number;
  /** A hash of every step: the same for the same seed. */
  readonly trace: string;
  /** What was on disk when something did not hold. */
  readonly disk: readonly string[];
}

/**
 * Steps in which things go wrong; then everything is repaired and must come to an end. All scenarios have begun by then
 * and most have ended: more steps of one life find less than those of another.
 */
const CHAOS_STEPS_DEFAULT = 160;
const SCENARIOS_MAX_DEFAULT = 6;
/** Lives as they were when the first thousands were lived: longer, with more in each. */
export const LONG = { chaosSteps: 300, scenariosMax: 8 } as const;
const STEPS_MAX = 20_000;
/** Simulated time after the last scenario in which leftovers must go away, in ms. */
const QUIET_MS = 150_000;
/** How often it is looked whether they have, in ms. */
const LOOK_MS = 20_000;
/** How often parked items are handed out again once nothing goes wrong any more, in simulated ms. */
const RETRY_PARKED_MS = 5_000;

class Violation extends Error {}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #world: World;
  readonly #chaos: Chaos;
  readonly #trace: string[] = [];
  readonly #open = new Map<string, Scenario>();
  #waiting: (readonly [string, Scenario])[] = [];
  #violation: string | undefined;
  #steps = 0;
  #isCalm = false;
  #retryParkedAt = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#world = new World({
      seed: options.seed,
      logger: options.logger ?? silentLogger,
      report: (violation) => {
        this.#violation ??= violation;
      },
      note: (line) => {
        this.#note(line);
      },
    });
    this.#chaos = new Chaos(this.#world);
    const { scenarios } = options;
    this.#waiting = scenarios ? Object.entries(scenarios) : this.#choose();
  }

  #choose(): (readonly [string, Scenario])[] {
    const { random } = this.#world;
    const names = Object.keys(SCENARIOS);
    const { scenariosMax = SCENARIOS_MAX_DEFAULT } = this.#options;
    return Array.from({ length: random.int(3, scenariosMax) }, (_, index) => {
      const name = random.pick(names);
      return [`${name}-${index}`, SCENARIOS[name] as Scenario] as const;
    });
  }

  async run(): Promise<SimulationResult> {
    const instances = this.#waiting.length;
    try {
      await this.#live();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
    }
    const disk = this.#violation === undefined ? [] : await this.#world.describe();
    await this.#world.disk.close({ isQuiet: this.#violation === undefined });
    return {
      seed: this.#options.seed,
      violation: this.#violation,
      steps: this.#steps,
      faults: this.#chaos.count,
      instances,
      trace: hash('sha256', this.#trace.join('\n')),
      disk,
    };
  }

  async #live(): Promise<void> {
    const world = this.#world;
    await world.startServer();
    await world.createHub();
    for (const worker of world.workers) await world.startWorker(worker);
    const { chaosSteps = CHAOS_STEPS_DEFAULT } = this.#options;
    while (this.#steps < chaosSteps) await this.#step();
    this.#isCalm = true;
    this.#note('calm');
    this.#chaos.end();
    while (this.#waiting.length + this.#open.size > 0) await this.#step();
    await this.#untilQuiet(world.clock.now + QUIET_MS);
    await this.#settle();
    await world.checker.checkQuiet();
    this.#assert();
    await this.#end();
  }

  /** Until nothing is left, and for a while longer: nothing may come back. */
  async #untilQuiet(lateAt: number): Promise<void> {
    const { clock, checker } = this.#world;
    for (let isQuiet = false; !isQuiet && clock.now < lateAt;) {
      isQuiet = (await checker.leftovers()).length === 0;
      const lookAt = clock.now + LOOK_MS;
      while (clock.now < lookAt) await this.#step();
    }
  }

  /** Everybody goes home, in good order. */
  async #end(): Promise<void> {
    const world = this.#world;
    const leaving = async (): Promise<void> => {
      await Promise.all(world.workers.map((worker) => world.stopWorker(worker)));
      await world.server?.close();
    };
    world.run('end of everybody', leaving());
    while (world.server) await this.#step({ isEnding: true });
  }

  async #step({ isEnding = false } = {}): Promise<void> {
    await this.#settle();
    if (isEnding && !this.#world.server) return;
    this.#steps += 1;
    if (this.#steps > STEPS_MAX)
      this.#fail(`no end after ${STEPS_MAX} steps: ${[...this.#open.keys()].join(', ')}`);
    const { random } = this.#world;
    if (this.#waiting.length > 0 && random.chance(this.#isCalm ? 1 : 0.05)) {
      this.#begin();
    } else if (this.#isCalm) {
      this.#calmStep(isEnding);
    } else {
      this.#note(this.#chaos.step());
    }
  }

  async #settle(): Promise<void> {
    await this.#world.settle();
    await this.#world.checker.check();
    this.#assert();
  }

  #assert(): void {
    if (this.#violation !== undefined) throw new Violation(this.#violation);
  }

  #fail(violation: string): never {
    this.#violation ??= violation;
    throw new Violation(violation);
  }

  /** No faults: the next message of everybody, and when there is none, the clock. */
  #calmStep(isEnding: boolean): void {
    const world = this.#world;
    if (!isEnding && this.#repair()) return;
    const links = world.network.ready();
    for (const link of links) {
      // What another message has set off may have emptied it.
      if (link.queue.length === 0) continue;
      const message = world.network.take(link);
      this.#note(message.label);
      message.deliver();
    }
    if (links.length > 0) return;
    const at = world.clock.nextAt;
    if (at === undefined) this.#fail('nothing will ever happen again');
    this.#note(`clock ${at}`);
    world.clock.advanceTo(at);
    if (isEnding || world.server?.state !== 'up' || world.clock.now < this.#retryParkedAt) return;
    this.#retryParkedAt = world.clock.now + RETRY_PARKED_MS;
    world.run('retry of parked items', world.server.scheduler.retryParked(HUB));
  }

  /** Starts what is down; true when something was. */
  #repair(): boolean {
    const world = this.#world;
    if (!world.server) {
      this.#note('start server');
      world.run('start of the scheduler', world.startServer());
      return true;
    }
    const down = world.workers.find(({ running }) => !running);
    if (!down) return false;
    this.#note(`start ${down.name}`);
    world.run('start of a worker', world.startWorker(down));
    return true;
  }

  #begin(): void {
    const next = this.#waiting.shift();
    if (!next) return;
    const [id, scenario] = next;
    this.#note(`begin ${id}`);
    this.#open.set(id, scenario);
    const random = this.#world.random.fork();
    const actor = {
      id,
      random,
      outside: this.#world.outside,
      ...this.#world.openClient(`client of ${id}`),
    };
    scenario(actor).then(
      () => {
        this.#open.delete(id);
      },
      (error: unknown) => {
        this.#violation ??= `${id}: ${error instanceof Error ? error.message : String(error)}`;
      },
    );
  }

  #note(line: string): void {
    const text = `${this.#steps} ${this.#world.clock.now % 1e9} ${line}`;
    this.#trace.push(text);
    this.#options.onStep?.(text);
  }
}

/** Runs one seed to its end. Rejects only when the simulation itself is broken. */
export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  return new Simulation(options).run();
}
