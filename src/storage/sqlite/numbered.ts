/** A statement's `$1` as SQLite's `?1`: bound by position instead of by name, which takes a third of a short read. */
export function numbered(sql: string): string {
  return sql.replaceAll(/\$(?=\d)/g, '?');
}
