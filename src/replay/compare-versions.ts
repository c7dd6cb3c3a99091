const NUMERIC_VERSION = /^\d+(?:\.\d+){0,3}$/;

/**
 * Negative, zero or positive as `one` is older than, equal to or newer than `other`. Dotted numbers (up
 * to four) are compared by number, anything else as text without case; no version is the oldest.
 */
export function compareVersions(one: string | undefined, other: string | undefined): number {
  const left = one?.trim() ?? '';
  const right = other?.trim() ?? '';
  if (left === '' || right === '') return Number(left !== '') - Number(right !== '');
  return NUMERIC_VERSION.test(left) && NUMERIC_VERSION.test(right)
    ? compareNumbers(left.split('.').map(Number), right.split('.').map(Number))
    : compareText(left.toLowerCase(), right.toLowerCase());
}

function compareNumbers(left: readonly number[], right: readonly number[]): number {
  const differences = [0, 1, 2, 3].map((index) => (left[index] ?? 0) - (right[index] ?? 0));
  return differences.find((difference) => difference !== 0) ?? 0;
}

/** By code unit: the order must not depend on the machine's locale. */
function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
