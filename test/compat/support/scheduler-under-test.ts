import {
  openScheduler,
  type OpenSchedulerOptions,
  type RunningScheduler,
} from '../../../src/server/index.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { RawClient } from '../../server/support/raw-client.ts';
import { HandWorker, type HandWorkerOptions } from './hand-worker.ts';
import { JumpClock } from './jump-clock.ts';

/** A scheduler on real sockets, with everything that was connected to it. */
export class SchedulerUnderTest {
  readonly clock: JumpClock;
  readonly scheduler: RunningScheduler;
  readonly client: RawClient;
  readonly #clients: RawClient[] = [];

  private constructor(scheduler: RunningScheduler, clock: JumpClock) {
    this.scheduler = scheduler;
    this.clock = clock;
    this.client = this.connect();
  }

  static async open(options: OpenSchedulerOptions = {}): Promise<SchedulerUnderTest> {
    const clock = new JumpClock();
    const scheduler = await openScheduler({
      ...{ storage: 'memory', grpcPort: 0, httpPort: 0, logger: silentLogger, clock },
      ...options,
    });
    return new SchedulerUnderTest(scheduler, clock);
  }

  /** `127.0.0.1:8080`, as the published SDK takes it. */
  get address(): string {
    return new URL(this.scheduler.grpcEndpoint).host;
  }

  /** One more connection. */
  connect(): RawClient {
    const client = new RawClient(Number(new URL(this.scheduler.grpcEndpoint).port));
    this.#clients.push(client);
    return client;
  }

  /** A worker on a connection of its own, whose first ping has arrived. */
  worker(options: HandWorkerOptions = {}): Promise<HandWorker> {
    return HandWorker.open(this.connect(), options);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.scheduler.close();
  }
}

/** One scheduler for all tests of a `describe`; each test uses ids of its own. */
export function schedulerForTests(options: OpenSchedulerOptions = {}): () => SchedulerUnderTest {
  let opened: SchedulerUnderTest | undefined;
  before(async () => {
    opened = await SchedulerUnderTest.open(options);
  });
  after(() => opened?.close());
  return () => {
    if (!opened) throw new Error('the scheduler opens before the first test');
    return opened;
  };
}
