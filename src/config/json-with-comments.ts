import { invalidArgument } from '../core/errors.ts';

/** A JSON object as read from a file: its values are not validated yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Parses the text of a settings file: JSON, plus what the Functions tools allow in theirs, a byte
 * order mark, comments and trailing commas. Throws INVALID_ARGUMENT that names the file and the
 * place when the text is not a JSON object.
 */
export function parseJsonObject(text: string, file: string): JsonObject {
  const plain = text
    .replace(/^\uFEFF/, '')
    .replaceAll(TOKENS, blank)
    .replaceAll(COMMAS, blankComma);
  let value: unknown;
  try {
    value = JSON.parse(plain);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidArgument(`${file} is not valid JSON: ${reason}. Correct the file.`);
  }
  if (!isJsonObject(value)) {
    throw invalidArgument(`${file} must hold a JSON object, such as {"version": "2.0"}.`);
  }
  return value;
}

/** True for `{...}`; false for arrays, null and every other value. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const STRING = String.raw`"(?:[^"\\\n]|\\.)*"`;
/** Strings are matched so that what looks like a comment inside one is left alone. */
const TOKENS = new RegExp(String.raw`${STRING}|//[^\n]*|/\*[\s\S]*?\*/`, 'g');
const COMMAS = new RegExp(String.raw`${STRING}|,(?=\s*[}\]])`, 'g');

/** Comments become spaces, so that line and column of a later error are those of the file. */
function blank(token: string): string {
  return token.startsWith('"') ? token : token.replaceAll(/[^\n]/g, ' ');
}

function blankComma(token: string): string {
  return token.startsWith('"') ? token : ' ';
}
