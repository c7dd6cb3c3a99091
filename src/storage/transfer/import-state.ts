/**
 * An import in the target's own tables. Its hubs have numbers that nobody knows until it is published in one
 * transaction; until then it can go on after any crash, or be taken back.
 */
import { invalidArgument, TaskHubError } from '../../core/errors.ts';
import { repeated } from '../sql/repeated.ts';
import type { SqlDatabase, SqlSession } from '../sql/session.ts';
import { assertUnused } from './exclusive.ts';
import type { ExportHeader } from './format.ts';

/** A hub of the file and the number it gets here. */
export interface ImportedHub {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export interface ImportState {
  readonly id: string;
  /** Batches that are stored. */
  readonly batch: number;
  readonly hubs: readonly ImportedHub[];
  /** Added to the type numbers of the file. */
  readonly typeBase: number;
  /** Stands for the nodes that held leases; it is dead from the first. */
  readonly node: number;
}

/** Begins the import, or finds how far it has come. */
export function begin(
  target: SqlDatabase,
  header: ExportHeader,
  now: number,
): Promise<ImportState> {
  return repeated(target, () =>
    target.transaction(async (session) => {
      // Schedulers that start now wait for this, and then find the import.
      if (session.dialect === 'postgres')
        await session.run('lock table nodes in exclusive mode', []);
      await assertUnused(session, { target: target.target, now });
      const known = await find(session, header.id);
      return known ?? (await make(session, target, header));
    }),
  );
}

async function make(
  session: SqlSession,
  target: SqlDatabase,
  header: ExportHeader,
): Promise<ImportState> {
  for (const { name } of header.hubs) await assertFree(session, target, name);
  const first = await take(session, 'hubs', header.hubs.length);
  const hubs = header.hubs.map(({ hub, name }, index) => ({ name, from: hub, to: first + index }));
  // As many ids as the source has given out: what the target gives out later is beyond all that are imported.
  const typeBase = await take(session, 'ids', header.idsEnd);
  const node = await take(session, 'nodes', 1);
  await session.run(
    'insert into imports (id, batch, hubs, type_base, node) values ($1, 0, $2, $3, $4)',
    [header.id, JSON.stringify(hubs), typeBase, node],
  );
  return { id: header.id, batch: 0, hubs, typeBase, node };
}

async function assertFree(session: SqlSession, target: SqlDatabase, name: string): Promise<void> {
  for (const other of await list(session)) {
    if (!other.hubs.some((hub) => hub.name === name)) continue;
    throw invalidArgument(
      `another import of task hub '${name}' into ${target.target} is not finished; finish that one, or take it back with 'durabletask import --abandon'`,
    );
  }
  const used = await session.all(
    'select h.hub from hubs h where h.name = $1 and exists (select 1 from instances i where i.hub = h.hub)',
    [name],
  );
  if (used.length === 0) return;
  throw invalidArgument(
    `task hub '${name}' is not empty in ${target.target}; delete it there first, or export without it (--task-hubs)`,
  );
}

async function take(
  session: SqlSession,
  counter: 'hubs' | 'ids' | 'nodes',
  size: number,
): Promise<number> {
  const rows = await session.all(
    'update counters set next = next + $1 where name = $2 returning next',
    [size, counter],
  );
  return Number(rows[0]?.['next']) - size;
}

async function list(session: SqlSession, id?: string): Promise<readonly ImportState[]> {
  const lock = session.dialect === 'postgres' ? ' for update' : '';
  const where = id === undefined ? '' : ' where id = $1';
  const rows = await session.all(
    `select id, batch, hubs, type_base, node from imports${where} order by id${lock}`,
    id === undefined ? [] : [id],
  );
  return rows.map((row) => ({
    id: String(row['id']),
    batch: Number(row['batch']),
    hubs: JSON.parse(String(row['hubs'])) as ImportedHub[],
    typeBase: Number(row['type_base']),
    node: Number(row['node']),
  }));
}

async function find(session: SqlSession, id: string): Promise<ImportState | undefined> {
  return (await list(session, id))[0];
}

/** Stores batch number `batch` with `work`, unless that was done before: by us without knowing, or by another process. */
export function advance(
  target: SqlDatabase,
  { id, batch }: Pick<ImportState, 'id' | 'batch'>,
  work: (session: SqlSession) => Promise<void>,
): Promise<void> {
  return repeated(target, () =>
    target.transaction(async (session) => {
      const state = await find(session, id);
      if (!state) throw gone(target);
      if (state.batch >= batch) return;
      await work(session);
      await session.run('update imports set batch = $1 where id = $2', [batch, id]);
    }),
  );
}

function gone(target: SqlDatabase): TaskHubError {
  return new TaskHubError(
    'UNAVAILABLE',
    `the import into ${target.target} was finished or taken back by somebody else`,
  );
}

/** The hubs are there, with all that is in them. Leases are given back when a scheduler sees that their node is dead. */
export function publish(target: SqlDatabase, id: string): Promise<void> {
  return repeated(target, () =>
    target.transaction(async (session) => {
      const state = await find(session, id);
      // Done, and nobody could say so.
      if (!state) return;
      for (const { name, to } of state.hubs) {
        const empty = await session.all('delete from hubs where name = $1 returning hub', [name]);
        for (const row of empty) await drop(session, Number(row['hub']));
        await session.run('insert into hubs (hub, name) values ($1, $2)', [to, name]);
      }
      await session.run(
        "insert into nodes (node, incarnation, heartbeat_at, announcement) values ($1, $2, 0, '')",
        [state.node, `import ${id}`],
      );
      await session.run('delete from imports where id = $1', [id]);
    }),
  );
}

/** What is in it is deleted later, by a scheduler. */
function drop(session: SqlSession, hub: number): Promise<void> {
  return session.run('insert into dropped_hubs (hub) values ($1) on conflict do nothing', [hub]);
}

/** Takes back every import that is not finished; returns the names of their hubs. */
export function abandonImports(target: SqlDatabase): Promise<readonly string[]> {
  return repeated(target, () =>
    target.transaction(async (session) => {
      const hubs = (await list(session)).flatMap((state) => state.hubs);
      for (const { to } of hubs) await drop(session, to);
      await session.run('delete from imports', []);
      return hubs.map(({ name }) => name);
    }),
  );
}
