/** Export files on disk: written under another name until they are complete, read line by line. */
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { createReadStream, existsSync } from 'node:fs';
import { invalidArgument, TaskHubError } from '../../core/errors.ts';
import { FORMAT, type ExportEnd, type ExportHeader, FORMAT_VERSION, LineChain } from './format.ts';

/** A file that becomes visible under its name when it is finished, and not before. */
export class ExportFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #chain = new LineChain();

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** Over what a broken off attempt has left; INVALID_ARGUMENT when there is a file of this name. */
  static async create(path: string): Promise<ExportFile> {
    if (existsSync(path)) {
      throw invalidArgument(`the file '${path}' is there already; name another, or delete it`);
    }
    try {
      // It holds inputs and results: for nobody else's eyes.
      return new ExportFile(path, await open(partOf(path), 'w', 0o600));
    } catch (cause) {
      throw cannot('written', path, cause);
    }
  }

  async write(text: string): Promise<void> {
    try {
      await this.#handle.write(this.#chain.sign(text));
    } catch (cause) {
      throw cannot('written', this.#path, cause);
    }
  }

  async finish(): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#handle.close();
      await rename(partOf(this.#path), this.#path);
    } catch (cause) {
      throw cannot('written', this.#path, cause);
    }
  }

  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined); // The failure that led here is the one to tell.
    await rm(partOf(this.#path), { force: true });
  }
}

function partOf(path: string): string {
  return `${path}.part`;
}

function cannot(verb: 'written' | 'read', path: string, cause: unknown): TaskHubError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new TaskHubError('UNAVAILABLE', `the file '${path}' cannot be ${verb}: ${why}`, { cause });
}

/** Far longer than any line can get (a row with the largest payload there may be); keeps other files out of memory. */
const LINE_BYTES_MAX = 256 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;
const BEGINNING = new RegExp(`^[0-9a-f]{64} \\{"format":"${FORMAT}",`);
const NEWLINE = 0x0a;

/** The lines of a file, with their checksums checked: their text. INVALID_ARGUMENT at the first that was changed. */
export async function* readTexts(path: string): AsyncIterable<string> {
  const chain = new LineChain();
  let isFirst = true;
  for await (const line of readLines(path)) {
    if (isFirst && !BEGINNING.test(line.slice(0, 200))) {
      throw invalidArgument(`the file '${path}' was not written by 'durabletask export'`);
    }
    isFirst = false;
    yield chain.check(line);
  }
  if (isFirst) throw invalidArgument(`the file '${path}' is empty`);
}

async function* readLines(path: string): AsyncIterable<string> {
  let parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer): void => {
    parts.push(part);
    length += part.length;
    if (length > LINE_BYTES_MAX) {
      throw invalidArgument(`the file '${path}' was not written by 'durabletask export'`);
    }
  };
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
      let rest = chunk as Buffer;
      for (let at = rest.indexOf(NEWLINE); at >= 0; at = rest.indexOf(NEWLINE)) {
        add(rest.subarray(0, at));
        yield Buffer.concat(parts).toString();
        rest = rest.subarray(at + 1);
        parts = [];
        length = 0;
      }
      add(rest);
    }
  } catch (cause) {
    throw cause instanceof TaskHubError ? cause : cannot('read', path, cause);
  }
  if (length > 0) throw cutShort(path);
}

function cutShort(path: string): TaskHubError {
  return invalidArgument(
    `the file '${path}' ends too early; the copy is not complete, copy it again`,
  );
}

/** A file whose every line is what was exported. */
export interface CheckedFile {
  readonly header: ExportHeader;
  readonly end: ExportEnd;
}

/**
 * Reads the file from beginning to end without using it. INVALID_ARGUMENT when a line was changed, when the end is
 * missing, or when this release does not know the format; `onText` sees every line.
 */
export async function checkFile(
  path: string,
  onText: (text: string) => void,
): Promise<CheckedFile> {
  let header: ExportHeader | undefined;
  let end: ExportEnd | undefined;
  for await (const text of readTexts(path)) {
    if (end) throw invalidArgument(`the file '${path}' goes on after its end; export again`);
    if (!header) header = readHeader(path, text);
    else if (text.startsWith('{"end":')) end = JSON.parse(text) as ExportEnd;
    else onText(text);
  }
  if (!header || !end) throw cutShort(path);
  return { header, end };
}

function readHeader(path: string, text: string): ExportHeader {
  const header = JSON.parse(text) as ExportHeader;
  if (header.version > FORMAT_VERSION) {
    throw invalidArgument(
      `the file '${path}' has format version ${header.version}, newer than version ${FORMAT_VERSION} that this release knows; import it with the release that wrote it, or a later one`,
    );
  }
  return header;
}
