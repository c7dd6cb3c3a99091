/** One promise of the protocol, as a row of docs/COMPATIBILITY.md. */
export interface Row {
  /** What a test names it by: `[wp 3.10-missing]`. */
  readonly id: string;
  readonly section: string;
  readonly title: string;
  /** `D`: seen of the product. `C`: clients break otherwise. `R`: our choice. */
  readonly mark: '' | 'B' | 'C' | 'D' | 'R';
  readonly statement: string;
  /** Not built yet; says with what it comes. */
  readonly later: string | undefined;
}

type Cells = readonly [id: string, mark: Row['mark'], statement: string, later?: string];

export function rowsOf(section: string, title: string, rows: readonly Cells[]): readonly Row[] {
  return rows.map(([id, mark, statement, later]) => ({
    ...{ id, section, title, mark, statement, later },
  }));
}
