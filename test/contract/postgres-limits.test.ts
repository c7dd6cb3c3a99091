import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { systemClock, type Clock } from '../../src/base/clock.ts';
import { systemIds } from '../../src/base/ids.ts';
import { DEFAULT_POSTGRES_LIMITS, type PostgresLimits } from '../../src/core/postgres-limits.ts';
import { openPostgres } from '../../src/storage/postgres-session.ts';
import { ConnectionLost } from '../../src/storage/sql/faults.ts';
import type { SqlDatabase, SqlSession } from '../../src/storage/sql/session.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { PostgresSchema, sharedPostgres, stopSharedPostgres } from '../support/postgres.ts';
import { ReplyCutter } from '../support/reply-cutter.ts';

interface Options extends Partial<PostgresLimits> {
  readonly url?: string;
  readonly clock?: Clock;
}

const SHOW = `select current_setting('statement_timeout') || ' ' || current_setting('lock_timeout') || ' ' ||
  current_setting('application_name') as shown`;

async function show(session: SqlSession): Promise<unknown> {
  const [row] = await session.all(SHOW, []);
  return row?.['shown'];
}

/** Time passes as soon as somebody waits for it. */
class HastyClock implements Clock {
  #now = 0;

  now(): number {
    return this.#now;
  }

  async sleepUntil(atMs: number): Promise<void> {
    this.#now = Math.max(this.#now, atMs);
    await new Promise(setImmediate);
  }
}

describe('the limits of PostgreSQL', function () {
  this.timeout(20_000);
  let schema: PostgresSchema;
  const opened: SqlDatabase[] = [];

  before(() => sharedPostgres());
  after(stopSharedPostgres);
  beforeEach(async () => {
    schema = await PostgresSchema.create();
  });
  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close();
    await schema[Symbol.asyncDispose]();
  });

  async function open({ url = schema.url, clock = systemClock, ...limits }: Options) {
    const database = await openPostgres({
      ...{ url, clock, ids: systemIds, logger: silentLogger },
      limits: { ...DEFAULT_POSTGRES_LIMITS, ...limits },
    });
    opened.push(database);
    return database;
  }

  it('hold for every connection, each with a name that tells its role', async () => {
    const url = `${schema.url}&application_name=orders`;
    const database = await open({ url, statementMs: 45_000, lockMs: 2000 });
    assert.equal(await database.transaction(show), '45s 2s orders writer');
    assert.equal(await database.read(show), '45s 2s orders reader');
  });

  it('bound the connections', async () => {
    const database = await open({ readers: 1 });
    const backend = async (session: SqlSession): Promise<unknown> => {
      const [row] = await session.all('select pg_backend_pid() as pid', []);
      return row?.['pid'];
    };
    const pids = await Promise.all(Array.from({ length: 5 }, () => database.read(backend)));
    assert.equal(new Set(pids).size, 1);
  });

  it('end a statement that takes too long, and say which limit that was', async () => {
    const database = await open({ statementMs: 50 });
    const forever = (session: SqlSession): Promise<unknown> =>
      session.all('select pg_sleep(60)::text', []);
    const rule = { code: 'UNAVAILABLE', message: /statementMs of --postgres-limits/ };
    await assert.rejects(database.read(forever), rule);
    await assert.rejects(database.transaction(forever), rule);
    assert.match(String(await database.read(show)), /^50ms/);
  });

  it('end waiting for a server that takes connections and says nothing', async () => {
    const sockets = new Set<Socket>();
    const mute = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    try {
      await assert.rejects(open({ url: schema.urlBy(`127.0.0.1:${port}`), connectMs: 100 }), {
        code: 'UNAVAILABLE',
        message: /it does not answer; raise connectMs of --postgres-limits/,
      });
    } finally {
      for (const socket of sockets) socket.destroy();
      mute.close();
    }
  });

  it('refuse reads beyond those that may wait, to be tried again', async () => {
    const database = await open({ readers: 1 });
    const reads = Array.from({ length: 3000 }, () => database.read(show));
    const outcomes = await Promise.allSettled(reads);
    const refused = outcomes.flatMap((one) =>
      one.status === 'rejected' ? [one.reason as Error] : [],
    );
    assert.ok(refused.length >= 900 && refused.length < 1000, `${refused.length} refused`);
    for (const error of refused) {
      assert.equal((error as Error & { code?: string }).code, 'RESOURCE_EXHAUSTED');
      assert.match(error.message, /2000 reads wait for PostgreSQL already/);
    }
  });

  it('give up a server that only reads any more, as after a failover', async () => {
    const database = await open({});
    const write = async (session: SqlSession): Promise<void> => {
      await session.run('set transaction read only', []);
      await session.all('create table t (id int)', []);
    };
    await assert.rejects(database.transaction(write), (error) => error instanceof ConnectionLost);
  });

  describe('while the server is away', () => {
    let proxy: ReplyCutter;
    beforeEach(async () => {
      proxy = await ReplyCutter.open((await sharedPostgres()).port);
    });
    afterEach(() => proxy[Symbol.asyncDispose]());

    it('let callers wait in growing pauses, as long as they may', async () => {
      const clock = new HastyClock();
      const url = schema.urlBy(proxy.address);
      const database = await open({ url, clock, patienceMs: 20_000 });
      const since = clock.now();
      proxy.isAway = true;
      await assert.rejects(database.transaction(show), {
        code: 'UNAVAILABLE',
        message: 'the store cannot be reached; try again',
      });
      assert.ok(clock.now() - since >= 15_000, `gave up after ${clock.now() - since} ms`);
      const { refusedCount: attempts } = proxy;
      assert.ok(attempts >= 8 && attempts <= 60, `${attempts} attempts`);
    });

    it('serve them as soon as it is back', async () => {
      const database = await open({ url: schema.urlBy(proxy.address) });
      await database.transaction(show);
      proxy.isAway = true;
      proxy.cut();
      const waiting = database.transaction(show).catch(() => database.transaction(show));
      const deadline = performance.now() + 5000;
      while (proxy.refusedCount < 3) {
        assert.ok(performance.now() < deadline, 'it does not try again');
        await new Promise(setImmediate);
      }
      proxy.isAway = false;
      assert.match(String(await waiting), /durabletask writer$/);
    });
  });
});
