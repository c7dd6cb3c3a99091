/**
 * Starts orchestrations at a fixed rate whatever is answered, as many clients do:
 * `node loader.ts <endpoint> <task hub> <starts a second> <ms> <file for the numbers of those accepted>`.
 */
import { writeFile } from 'node:fs/promises';
import { systemClock } from '../../src/base/clock.ts';
import { TaskHubClient, TaskHubError } from '../../src/client/index.ts';
import { giveWay } from './give-way.ts';
import { idOf, type LoadLine } from './load.ts';

/** Starts that nobody has answered yet; more of them are withheld: clients are many, but not without number. */
const UNANSWERED_MAX = 10_000;
const STEP_MS = 10;
const never = new AbortController().signal;

class Loader {
  readonly #client: TaskHubClient;
  readonly #accepted: number[] = [];
  readonly #refused: Record<string, number> = {};
  #offered = 0;
  #withheld = 0;
  #unanswered = 0;

  constructor(endpoint: string, taskHub: string) {
    this.#client = TaskHubClient.open({ endpoint, taskHub });
  }

  async run(rate: number, durationMs: number): Promise<readonly number[]> {
    const since = systemClock.now();
    let saidAt = since;
    for (let now = since; now < since + durationMs; now = systemClock.now()) {
      const due = Math.floor(((now - since) * rate) / 1000);
      while (this.#offered + this.#withheld < due) this.#offer();
      if (now >= saidAt + 1000) {
        saidAt = now;
        this.say(false);
      }
      await systemClock.sleepUntil(now + STEP_MS, { signal: never });
    }
    while (this.#unanswered > 0) {
      await systemClock.sleepUntil(systemClock.now() + STEP_MS, { signal: never });
    }
    await this.#client.close();
    return this.#accepted;
  }

  #offer(): void {
    if (this.#unanswered >= UNANSWERED_MAX) {
      this.#withheld += 1;
      return;
    }
    const n = this.#offered;
    this.#offered += 1;
    this.#unanswered += 1;
    void this.#start(n).finally(() => {
      this.#unanswered -= 1;
    });
  }

  async #start(n: number): Promise<void> {
    try {
      await this.#client.scheduleNewOrchestration('Work', n, idOf(n));
      this.#accepted.push(n);
    } catch (error) {
      const code = error instanceof TaskHubError ? error.code : String(error);
      this.#refused[code] = (this.#refused[code] ?? 0) + 1;
    }
  }

  say(isOver: boolean): void {
    const line: LoadLine = {
      ...{ offered: this.#offered, withheld: this.#withheld },
      ...{ accepted: this.#accepted.length, refused: this.#refused, isOver },
    };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}

async function main(): Promise<void> {
  giveWay();
  const [endpoint = '', taskHub = '', rate = '', durationMs = '', file = ''] =
    process.argv.slice(2);
  const loader = new Loader(endpoint, taskHub);
  const accepted = await loader.run(Number(rate), Number(durationMs));
  await writeFile(file, JSON.stringify(accepted));
  loader.say(true);
}

void main();
