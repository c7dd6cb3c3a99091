/** Looks at the disk after every step: what may never be, however unlucky the moment. */
import { hash } from 'node:crypto';
import type { SqlRow, SqlValue } from '../../src/storage/sql/session.ts';
import { decodeEvent, unframeEvents } from '../../src/wire/events.ts';
import { entityProblems } from './entity-check.ts';
import { HistoryCheck } from './history-check.ts';

/** Committed state, the same for all questions of one look. */
export interface Disk {
  query(sql: string, params?: readonly SqlValue[]): Promise<readonly SqlRow[]>;
  /** Changes with every commit, whether it wrote or not. */
  readonly transactions: number;
  /** Rises with every row written. */
  changes(): Promise<number>;
}

/** What was seen of one generation of one instance. */
interface Seen {
  readonly exec: number;
  readonly firstChunk: number;
  readonly check: HistoryCheck;
  readonly digests: Map<number, string>;
  nextChunk: number;
}

/** A live instance that waits for something. */
interface Waiting {
  readonly row: SqlRow;
  readonly check: HistoryCheck;
}

interface Generation {
  readonly rid: number;
  readonly id: string;
  readonly exec: number;
  readonly firstChunk: number;
  readonly nextChunk: number;
}

/** Every generation, live or ended; a run without an instance too. A full join of both would take four times as long. */
const GENERATIONS = `
  select i.rid, i.id, r.rid as run, coalesce(r.exec, i.exec) as exec,
         coalesce(r.first_chunk, i.first_chunk) as first_chunk,
         coalesce(r.next_chunk, i.last_chunk + 1) as next_chunk,
         r.token, r.ready_at, r.read_seq, i.exec as instance_exec,
         (select count(*) from inbox b where b.hub = r.hub and b.rid = r.rid and b.seq > r.read_seq) as unread
    from instances i left join runs r on r.hub = i.hub and r.rid = i.rid
   where r.kind = 1 or r.rid is null
  union all
  select r.rid, null, r.rid, r.exec, r.first_chunk, r.next_chunk, r.token, r.ready_at, r.read_seq, null, 0
    from runs r
   where r.kind = 1 and not exists (select 1 from instances i where i.hub = r.hub and i.rid = r.rid)`;

/** What instances may wait for. */
const WAITED_FOR = `
  select 'task' as kind, rid, exec, task as number from activities
  union all
  select 'child', parent_rid, parent_exec, parent_task from runs where parent_rid is not null
  union all
  select 'timers', rid, exec, count(*) from timers group by rid, exec`;

const number = (row: SqlRow, column: string): number => Number(row[column]);

export class Checker {
  readonly #disk: Disk;
  readonly #report: (violation: string) => void;
  readonly #seen = new Map<number, Seen>();
  #checkedAt = -1;
  /** Rows changed on this disk until the last look. */
  #changes = -1;

  constructor(disk: Disk, report: (violation: string) => void) {
    this.#disk = disk;
    this.#report = report;
  }

  /** After a step, if anything was committed in it. */
  async check(): Promise<void> {
    if (this.#checkedAt === this.#disk.transactions) return;
    this.#checkedAt = this.#disk.transactions;
    // A third of all transactions find nothing to do.
    const changes = await this.#disk.changes();
    if (changes === this.#changes) return;
    this.#changes = changes;
    const waiting: Waiting[] = [];
    for (const row of await this.#disk.query(GENERATIONS)) {
      if (row['id'] === null) {
        this.#report(`run ${String(row['rid'])} belongs to no instance`);
        continue;
      }
      const { check } = await this.#follow(generationOf(row));
      if (row['run'] === null) continue;
      this.#checkRun(row);
      if (number(row, 'unread') === 0 && check.open.size > 0) waiting.push({ row, check });
    }
    if (waiting.length > 0) this.#checkWaiting(waiting, await this.#disk.query(WAITED_FOR));
    for (const problem of await entityProblems(this.#disk)) this.#report(problem);
  }

  #checkRun(row: SqlRow): void {
    const id = String(row['id']);
    const isIdle = row['token'] === null && row['ready_at'] === null;
    if (isIdle && number(row, 'unread') > 0) {
      this.#report(`'${id}' has unread events and is neither ready nor leased`);
    }
    if (row['exec'] !== row['instance_exec']) {
      this.#report(
        `'${id}' is in generation ${String(row['instance_exec'])}, its run in ${String(row['exec'])}`,
      );
    }
  }

  /** Whatever instances without news wait for exists. */
  #checkWaiting(waiting: readonly Waiting[], found: readonly SqlRow[]): void {
    const key = (kind: unknown, rid: unknown, exec: unknown, task: unknown): string =>
      [kind, rid, exec, task].map(String).join(' ');
    const timersOf = new Map<string, number>();
    const there = new Set<string>();
    for (const row of found) {
      const { kind, rid, exec } = row;
      if (kind === 'timers') timersOf.set(key(kind, rid, exec, ''), number(row, 'number'));
      else there.add(key(kind, rid, exec, row['number']));
    }
    for (const { row, check } of waiting) {
      const { id, rid, exec } = row;
      let timers = 0;
      for (const [task, kind] of check.open) {
        if (kind === 'timer') timers += 1;
        else if (!there.has(key(kind, rid, exec, task)))
          this.#report(`'${String(id)}' waits for ${kind} ${task}, which does not exist`);
      }
      if ((timersOf.get(key('timers', rid, exec, '')) ?? 0) < timers)
        this.#report(`'${String(id)}' waits for ${timers} timers, of which some do not exist`);
    }
  }

  /** Reads what was appended since the last look. */
  async #follow(generation: Generation): Promise<Seen> {
    const { rid, id, exec, firstChunk, nextChunk } = generation;
    const known = this.#seen.get(rid);
    if (known && exec < known.exec) this.#report(`'${id}' went back to generation ${exec}`);
    const seen: Seen =
      known?.exec === exec
        ? known
        : {
            exec,
            firstChunk,
            check: new HistoryCheck(),
            digests: new Map(),
            nextChunk: firstChunk,
          };
    this.#seen.set(rid, seen);
    if (nextChunk < seen.nextChunk || firstChunk !== seen.firstChunk) {
      this.#report(`the history of '${id}' was cut`);
    }
    if (nextChunk <= seen.nextChunk) return seen;
    const rows = await this.#disk.query(
      'select chunk, bytes from history where rid = $1 and chunk >= $2 order by chunk',
      [rid, seen.nextChunk],
    );
    for (const row of rows) this.#read(id, seen, row);
    if (seen.nextChunk !== nextChunk) this.#report(`the history of '${id}' has a gap`);
    return seen;
  }

  #read(id: string, seen: Seen, row: SqlRow): void {
    const bytes = row['bytes'] as Uint8Array;
    if (number(row, 'chunk') !== seen.nextChunk) this.#report(`the history of '${id}' has a gap`);
    seen.digests.set(seen.nextChunk, digest(bytes));
    seen.nextChunk += 1;
    for (const event of unframeEvents(bytes)) {
      const problem = seen.check.add(decodeEvent({ type: 0, bytes: event }));
      if (problem !== undefined) this.#report(`the history of '${id}': ${problem}`);
    }
  }

  /** Compares every chunk with what was seen when it was written. */
  async checkUnchanged(): Promise<void> {
    await this.check();
    const rows = await this.#disk.query(
      'select h.rid, h.chunk, h.bytes from history h join instances i on i.hub = h.hub and i.rid = h.rid',
    );
    for (const row of rows) {
      const seen = this.#seen.get(number(row, 'rid'));
      const before = seen?.digests.get(number(row, 'chunk'));
      if (before !== undefined && before !== digest(row['bytes'] as Uint8Array)) {
        this.#report(
          `chunk ${String(row['chunk'])} of instance row ${String(row['rid'])} was changed`,
        );
      }
    }
  }

  /** Once everything has ended and nothing happens any more. */
  async checkQuiet(): Promise<void> {
    await this.checkUnchanged();
    for (const problem of await this.leftovers()) this.#report(problem);
  }

  /** What must be gone, a while after everything has ended. */
  async leftovers(): Promise<readonly string[]> {
    const problems: string[] = [];
    for (const table of ['runs', 'activities', 'timers', 'inbox', 'garbage', 'locks']) {
      const live = table === 'runs' ? 'where kind = 1' : '';
      const [row] = await this.#disk.query(`select count(*) as count from ${table} ${live}`);
      const count = Number(row?.['count']);
      if (count > 0) problems.push(`${count} rows are left in ${table} after everything has ended`);
    }
    const held = await this.#disk.query('select rid from runs where token is not null');
    if (held.length > 0) problems.push(`${held.length} leases are held for ever`);
    return problems;
  }
}

function generationOf(row: SqlRow): Generation {
  return {
    rid: number(row, 'rid'),
    id: String(row['id']),
    exec: number(row, 'exec'),
    firstChunk: number(row, 'first_chunk'),
    nextChunk: number(row, 'next_chunk'),
  };
}

function digest(bytes: Uint8Array): string {
  return hash('sha1', bytes, 'base64');
}
