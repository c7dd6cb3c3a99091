import { NodeProcess } from '../support/node-process.ts';
import { LoopbackProxy } from '../support/proxy.ts';
import type { Ledger } from './ledger.ts';
import { Member } from './member.ts';

const WORKER = new URL('./worker.ts', import.meta.url);
const CLOSED = 'http://127.0.0.1:9';

/** A scheduler, and the ways to it. */
export interface SchedulerNode {
  readonly member: Member;
  /** Where clients and workers find it, each by a proxy of their own. */
  readonly forClients: LoopbackProxy;
  readonly forWorkers: LoopbackProxy;
}

export interface ClusterOptions {
  readonly nodes: number;
  readonly workers: number;
  /** The storage setting of a node. */
  readonly storageOf: (node: number) => string;
  readonly ledger: Ledger;
}

/** Schedulers and workers, each in a process, behind proxies that can misbehave. */
export class Cluster implements AsyncDisposable {
  readonly nodes: SchedulerNode[] = [];
  readonly workers: Member[] = [];
  readonly #options: ClusterOptions;
  #workersStarted = 0;

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    try {
      for (let n = 0; n < options.nodes; n += 1) cluster.nodes.push(await cluster.#node(n));
      await Promise.all(cluster.nodes.map(({ member }) => member.start()));
      for (let n = 0; n < options.workers; n += 1) cluster.workers.push(cluster.#worker(n));
      await Promise.all(cluster.workers.map((worker) => worker.start()));
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Where clients connect. */
  get endpoints(): readonly string[] {
    return this.nodes.map(({ forClients }) => forClients.url);
  }

  async #node(number: number): Promise<SchedulerNode> {
    const { storageOf, ledger } = this.#options;
    const forClients = await LoopbackProxy.open(CLOSED);
    const forWorkers = await LoopbackProxy.open(CLOSED);
    const ports = ['--grpc-port', '0', '--http-port', '0'];
    const member = new Member({
      name: `node ${number}`,
      spawn: () => NodeProcess.cli(['start', '--json', '--storage', storageOf(number), ...ports]),
      onReady: ({ grpc }) => {
        forClients.retarget(grpc);
        forWorkers.retarget(grpc);
      },
      onViolation: (sentence) => {
        ledger.violation(sentence);
      },
    });
    return { member, forClients, forWorkers };
  }

  /** Every new life of a worker is at the next node. */
  #worker(number: number): Member {
    const { ledger } = this.#options;
    return new Member({
      name: `worker ${number}`,
      spawn: () => {
        this.#workersStarted += 1;
        const node = this.nodes[this.#workersStarted % this.nodes.length];
        const args = [node?.forWorkers.url ?? '', String(this.#workersStarted)];
        return new NodeProcess(WORKER, args, {
          onLine: (line) => {
            if (line.startsWith('ran ')) ledger.begun(line);
          },
        });
      },
      onReady: () => undefined,
      onViolation: (sentence) => {
        ledger.violation(sentence);
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const members = [...this.workers, ...this.nodes.map(({ member }) => member)];
    await Promise.all(members.map((member) => member.end('SIGKILL')));
    for (const { forClients, forWorkers } of this.nodes) {
      await Promise.all([forClients.close(), forWorkers.close()]);
    }
  }
}
