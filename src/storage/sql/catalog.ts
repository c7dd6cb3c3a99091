/** Hubs and types: small tables that a node keeps in memory, filled from the database as names turn up. */
import type { RowKeys } from '../round/keys.ts';
import { typeKeyText, type TypeKey } from '../round/keys.ts';
import type { TypeBook } from '../round/state.ts';
import type { SqlSession } from './session.ts';
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

interface TypeRow extends TypeKey {
  readonly type: number;
}

export class Catalog implements TypeBook {
  readonly numbers = new Map<string, number>();
  readonly keys = new Map<number, TypeKey>();
  readonly hubNumbers = new Map<string, number>();
  readonly hubNames = new Map<number, string>();

  async loadHubs(session: SqlSession): Promise<void> {
    this.hubNumbers.clear();
    this.hubNames.clear();
    for (const row of await session.all('select hub, name from hubs order by name', [])) {
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
   * Looks up or makes the types that a round needs; returns those that were not known. If the round is rolled
   * back the caller must `forget` them: they may not exist.
   */
  async resolveTypes(
    session: SqlSession,
    keys: RowKeys,
    nextId: () => number,
  ): Promise<readonly TypeKey[]> {
    const wanted = [...keys.types]
      .filter(([text]) => !this.numbers.has(text))
      .map(([, key]) => key);
    if (wanted.length === 0) return [];
    await session.runMany(
      INSERT_TYPE,
      wanted.map(({ hub, kind, name, version }) => [nextId(), hub, kind, name, version]),
    );
    const rows = await session.allMany(
      TYPE_BY_KEY,
      wanted.map(({ hub, kind, name, version }) => [hub, kind, name, version]),
    );
    for (const row of rows) this.#remember(readRow<TypeRow>(row));
    return wanted;
  }

  /** After a rollback: these may not exist. */
  forget(keys: readonly TypeKey[]): void {
    for (const key of keys) {
      const text = typeKeyText(key);
      const type = this.numbers.get(text);
      this.numbers.delete(text);
      if (type !== undefined) this.keys.delete(type);
    }
  }

  #remember({ type, hub, kind, name, version }: TypeRow): void {
    const key = { hub, kind, name, version };
    this.numbers.set(typeKeyText(key), type);
    this.keys.set(type, key);
  }
}
