/** Hubs and types: small tables that a node keeps in memory, filled from the database as names turn up. */
import { typeKeyText, type TypeKey } from '../round/keys.ts';
import type { TypeBook } from '../round/state.ts';
import type { SqlDatabase, SqlSession } from './session.ts';
import { readRow } from './rows.ts';
import { insertInto, selectWhere } from './statement.ts';
import { TYPES } from './tables.ts';

const INSERT_TYPE = insertInto(TYPES, { orIgnore: true });
const TYPE_BY_KEY = selectWhere(TYPES, {
  where: [
    ['hub', '='],
    ['kind', '='],
    ['name', '='],
    ['version', '='],
  ],
});

const TYPE_BY_NUMBER = selectWhere(TYPES, {
  where: [
    ['hub', '='],
    ['type', '='],
  ],
});

interface TypeRow extends TypeKey {
  readonly type: number;
}

export class Catalog implements TypeBook {
  readonly numbers = new Map<string, number>();
  readonly keys = new Map<number, TypeKey>();
  readonly hubNumbers = new Map<string, number>();
  readonly hubNames = new Map<number, string>();

  async loadHubs(session: SqlSession): Promise<void> {
    const rows = await session.all('select hub, name from hubs order by name', []);
    this.hubNumbers.clear();
    this.hubNames.clear();
    for (const row of rows) {
      const { hub, name } = readRow<{ hub: number; name: string }>(row);
      this.hubNumbers.set(name, hub);
      this.hubNames.set(hub, name);
    }
  }

  async loadTypes(session: SqlSession): Promise<void> {
    for (const row of await session.all('select type, hub, kind, name, version from types', [])) {
      this.#remember(readRow<TypeRow>(row));
    }
  }

  /**
   * Looks up or makes types, in a transaction of their own: a round that holds rows must not wait for another's
   * insert. Safe to repeat.
   */
  async makeTypes(
    database: SqlDatabase,
    keys: Iterable<TypeKey>,
    nextId: () => number,
  ): Promise<void> {
    const wanted = [...keys]
      .map((key) => ({ key, text: typeKeyText(key) }))
      .filter(({ text }) => !this.numbers.has(text))
      .sort((a, b) => (a.text < b.text ? -1 : 1))
      .map(({ key: { hub, kind, name, version } }) => [hub, kind, name, version] as const);
    if (wanted.length === 0) return;
    const rows = await database.transaction(async (session) => {
      await session.runMany(
        INSERT_TYPE,
        wanted.map((key) => [nextId(), ...key]),
      );
      return session.allMany(TYPE_BY_KEY, wanted);
    });
    for (const row of rows) this.#remember(readRow<TypeRow>(row));
  }

  /** Types that another node has made. */
  async learnTypes(
    session: SqlSession,
    types: Iterable<{ readonly hub: number; readonly type: number }>,
  ): Promise<void> {
    const unknown = new Map<number, readonly [number, number]>();
    for (const { hub, type } of types) if (!this.keys.has(type)) unknown.set(type, [hub, type]);
    const rows = await session.allMany(TYPE_BY_NUMBER, [...unknown.values()]);
    for (const row of rows) this.#remember(readRow<TypeRow>(row));
  }

  #remember({ type, hub, kind, name, version }: TypeRow): void {
    const key = { hub, kind, name, version };
    this.numbers.set(typeKeyText(key), type);
    this.keys.set(type, key);
  }
}
