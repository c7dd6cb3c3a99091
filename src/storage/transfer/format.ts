/**
 * The file that moves task hubs from one store to another. Text, a line for each batch of rows:
 *
 *   <sha-256> {"format":"durabletask-export","version":1,"id":…,"schema":1,"hubs":[{"hub":1,"name":"default"}],…}
 *   <sha-256> {"hub":1,"table":"history","rows":[[17,0,0,{"b":"<base64>"}],…]}
 *   <sha-256> {"end":true,"batches":1,"digests":{"1 history":{"rows":1,"sha256":…}}}
 *
 * Each checksum covers its own line and the checksum before it: nothing can be changed, left out or put in another
 * order unnoticed. Every line can be written to the target in one transaction.
 */
import { createHash, type Hash } from 'node:crypto';
import { TaskHubError } from '../../core/errors.ts';
import type { SqlValue } from '../sql/session.ts';

export const FORMAT = 'durabletask-export';
/** Of the file, not of the schema. */
export const FORMAT_VERSION = 1;

/** A task hub under the number that it has in the rows of the file. */
export interface ExportedHub {
  readonly hub: number;
  readonly name: string;
}

export interface ExportHeader {
  readonly format: string;
  readonly version: number;
  /** Of this export: what an interrupted import is known by. */
  readonly id: string;
  /** Newest migration of the store that it was read from. */
  readonly schema: number;
  readonly createdAt: number;
  readonly hubs: readonly ExportedHub[];
  /** No row id or type number in the file is as large. */
  readonly idsEnd: number;
  /** Of all tables and hubs. */
  readonly rowsTotal: number;
}

export type Row = readonly SqlValue[];

/** Bytes have no JSON of their own. */
interface EncodedBytes {
  readonly b: string;
}

type EncodedRow = readonly (number | string | null | EncodedBytes)[];

/** Rows of one table in the order of its key; `hub` 0: of a table that belongs to no hub. */
export interface Batch {
  readonly hub: number;
  readonly table: string;
  readonly rows: readonly EncodedRow[];
}

/** What all rows of one table and hub come to. */
export interface TableDigest {
  readonly rows: number;
  readonly sha256: string;
}

export interface ExportEnd {
  readonly end: true;
  readonly batches: number;
  /** By `digestKey`. */
  readonly digests: Readonly<Record<string, TableDigest>>;
}

export function digestKey(hub: number, table: string): string {
  return `${hub} ${table}`;
}

/** A row as it stands in the file. */
export function encodeRow(row: Row): string {
  return JSON.stringify(
    row.map((value): EncodedRow[number] =>
      value instanceof Uint8Array ? { b: Buffer.from(value).toString('base64') } : value,
    ),
  );
}

export function decodeRow(values: EncodedRow): Row {
  return values.map((value) =>
    typeof value === 'object' && value !== null ? Buffer.from(value.b, 'base64') : value,
  );
}

/** The digest of a table as its rows come by. */
export class RowDigest {
  readonly #hash = createHash('sha256');
  #rows = 0;

  add(encodedRow: string): void {
    this.#hash.update(encodedRow).update('\n');
    this.#rows += 1;
  }

  end(): TableDigest {
    return { rows: this.#rows, sha256: this.#hash.digest('hex') };
  }
}

const SUM_LENGTH = 64;

/** Puts checksums before lines, and checks them. */
export class LineChain {
  #last = '';
  #number = 0;

  sign(text: string): string {
    return `${this.#next(text)} ${text}\n`;
  }

  /** The text of a line, which must be the one that was signed here; INVALID_ARGUMENT otherwise. */
  check(line: string): string {
    const text = line.slice(SUM_LENGTH + 1);
    if (line.slice(0, SUM_LENGTH) !== this.#next(text) || line[SUM_LENGTH] !== ' ') {
      throw new TaskHubError(
        'INVALID_ARGUMENT',
        `line ${this.#number} is not what was exported: its checksum does not match; copy the file again, or export again`,
      );
    }
    return text;
  }

  #next(text: string): string {
    const hash: Hash = createHash('sha256').update(this.#last).update(text);
    this.#last = hash.digest('hex');
    this.#number += 1;
    return this.#last;
  }
}
