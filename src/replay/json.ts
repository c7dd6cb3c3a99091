/** JSON text of a payload; `undefined` (and what JSON cannot express at all) is no payload. */
export function encodePayload(value: unknown, what: string): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new TypeError(
      `${what} cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}

/** The value of a payload; an unset or empty one is `undefined`. Throws a `SyntaxError` otherwise. */
export function decodePayload(text: string | undefined, what: string): unknown {
  if (text === undefined || text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new SyntaxError(`${what} is not valid JSON.`, { cause: error });
  }
}
