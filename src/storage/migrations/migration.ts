/** One step of the schema. Append-only: a released migration is never edited. */
export interface Migration {
  readonly id: number;
  readonly name: string;
  readonly sqlite: readonly string[];
  readonly postgres: readonly string[];
}
