/** What is wrong with a JSON text, with line and column; `undefined` when nothing is. */
export function jsonProblem(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const found = /position (\d+)/.exec(message);
    if (!found) return `Not JSON: ${message}`;
    const before = text.slice(0, Number(found[1])).split('\n');
    const column = (before.at(-1)?.length ?? 0) + 1;
    return `Not JSON at line ${before.length}, column ${column}: ${message}`;
  }
}
