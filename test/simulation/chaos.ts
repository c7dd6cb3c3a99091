/** What goes wrong, and what goes on meanwhile: each step is one event, chosen by the seed. */
import { DATABASE_FAULTS } from './sim-database.ts';
import type { Link } from './network.ts';
import type { World } from './world.ts';

type Action = () => string;

export class Chaos {
  readonly #world: World;
  readonly #stalled: Link[] = [];
  /** Faults per hundred steps: some lives are quiet, some are not. */
  readonly #rate: number;
  /** Faults so far. */
  count = 0;

  constructor(world: World) {
    this.#world = world;
    this.#rate = world.random.pick([0, 2, 5, 12]);
  }

  /** One event; what it was. */
  step(): string {
    const { random, network, clock } = this.#world;
    if (random.next() * 100 < this.#rate) return this.#fault();
    const links = network.ready();
    const hasDown = this.#down().length > 0;
    const choices: (readonly [number, Action])[] = [
      [links.length > 0 ? 60 : 0, () => this.#deliver(links)],
      [clock.nextAt === undefined ? 0 : links.length > 0 ? 6 : 40, () => this.#advance()],
      [hasDown ? 10 : 0, () => this.#start()],
    ];
    const possible = choices.filter(([weight]) => weight > 0);
    return possible.length === 0 ? this.#fault() : random.weighted(possible)();
  }

  #deliver(links: readonly Link[]): string {
    const { random, network } = this.#world;
    const message = network.take(random.pick(links));
    message.deliver();
    return message.label;
  }

  #advance(): string {
    const { clock } = this.#world;
    const at = clock.nextAt ?? clock.now;
    clock.advanceTo(at);
    return `clock ${at}`;
  }

  #down(): readonly Action[] {
    const world = this.#world;
    const actions: Action[] = world.workers
      .filter(({ running }) => !running)
      .map((worker) => () => {
        world.run('start of a worker', world.startWorker(worker));
        return `start ${worker.name}`;
      });
    if (!world.server) {
      actions.push(() => {
        world.run('start of the scheduler', world.startServer());
        return 'start server';
      });
    }
    return actions;
  }

  #start(): string {
    return this.#world.random.pick(this.#down())();
  }

  #fault(): string {
    this.count += 1;
    return `fault: ${this.#world.random.weighted<Action>([
      [12, () => this.#database()],
      [3, () => this.#slowDisk()],
      [2, () => this.#away()],
      [4, () => this.#crashServer()],
      [2, () => this.#closeServer()],
      [4, () => this.#crashWorker()],
      [2, () => this.#stopWorker()],
      [4, () => this.#breakConnection()],
      [2, () => this.#breakCall()],
      [2, () => this.#stall()],
      [6, () => this.#lose()],
      [6, () => this.#repeat()],
      [2, () => this.#jump()],
    ])()}`;
  }

  #database(): string {
    const fault = this.#world.random.pick(DATABASE_FAULTS);
    this.#world.disk.fault = fault;
    return `database ${fault}`;
  }

  /** From now on each transaction takes time, before it begins or before its answer comes; or no longer. */
  #slowDisk(): string {
    const { disk, random } = this.#world;
    disk.delayMs = disk.delayMs > 0 ? 0 : random.pick([1, 40, 400]);
    return `disk takes ${disk.delayMs} ms`;
  }

  #away(): string {
    const { disk, clock, random } = this.#world;
    disk.awayUntil = clock.now + random.int(1, 3000);
    return 'disk away';
  }

  #crashServer(): string {
    this.#world.server?.crash();
    return 'crash server';
  }

  #closeServer(): string {
    const { server } = this.#world;
    if (server?.state === 'up') this.#world.run('end of the scheduler', server.close());
    return 'close server';
  }

  #crashWorker(): string {
    const worker = this.#world.random.pick(this.#world.workers);
    this.#world.crashWorker(worker);
    return `crash ${worker.name}`;
  }

  #stopWorker(): string {
    const worker = this.#world.random.pick(this.#world.workers);
    this.#world.run('end of a worker', this.#world.stopWorker(worker));
    return `stop ${worker.name}`;
  }

  #breakConnection(): string {
    const connections = [...this.#world.connections];
    if (connections.length === 0) return 'break nothing';
    const connection = this.#world.random.pick(connections);
    connection.renew();
    return `break ${connection.name}`;
  }

  #breakCall(): string {
    const { random, connections } = this.#world;
    const calls = [...connections].flatMap((connection) => connection.calls);
    if (calls.length === 0) return 'break nothing';
    const call = random.pick(calls);
    call.break();
    return `break ${call.label}`;
  }

  /** A half-open connection: what the scheduler says goes nowhere, and nobody notices. */
  #stall(): string {
    const { random, connections } = this.#world;
    const calls = [...connections].flatMap((connection) => connection.calls);
    if (calls.length === 0) return 'stall nothing';
    const call = random.pick(calls);
    call.down.isStalled = true;
    this.#stalled.push(call.down);
    return `stall ${call.label}`;
  }

  #lose(): string {
    const { random, network } = this.#world;
    const links = network.ready().filter(({ queue }) => queue[0]?.lose);
    if (links.length === 0) return 'lose nothing';
    const message = network.take(random.pick(links));
    const isNoticed = random.chance(0.7);
    const hasArrived = random.chance(0.5);
    if (hasArrived) message.deliver();
    message.lose?.(isNoticed);
    return `lose ${message.label} ${hasArrived ? 'arrived' : ''} ${isNoticed ? 'noticed' : ''}`;
  }

  #repeat(): string {
    const { random, network } = this.#world;
    const links = network
      .ready()
      .filter(({ queue }) => /Complete|Abandon/.test(queue[0]?.label ?? ''));
    const chosen = links.filter(({ queue }) => queue[0]?.repeat);
    if (chosen.length === 0) return 'repeat nothing';
    const message = random.pick(chosen).queue[0];
    message?.repeat?.();
    return `repeat ${message?.label ?? ''}`;
  }

  #jump(): string {
    const { clock, random } = this.#world;
    const ms = random.int(1000, 120_000);
    clock.advanceTo(clock.now + ms);
    return `clock jumps ${ms} ms`;
  }

  /** Repairs what would never end by itself. */
  end(): void {
    const { disk } = this.#world;
    disk.fault = undefined;
    disk.delayMs = 0;
    disk.awayUntil = 0;
    for (const link of this.#stalled) link.isStalled = false;
  }
}
