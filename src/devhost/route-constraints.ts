/** A rule for the text of a route parameter; `text` is how the template wrote it. */
export interface RouteConstraint {
  (value: string): boolean;
  readonly text: string;
}

type Rule = (value: string) => boolean;

const INT_MAX = 2n ** 31n - 1n;
const LONG_MAX = 2n ** 63n - 1n;
const DECIMAL = /^[+-]?(\d[\d,]*(\.\d*)?|\.\d+)$/;
const DOUBLE = /^[+-]?(\d[\d,]*(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const GUID = /^[({]?[\da-f]{8}-?([\da-f]{4}-?){3}[\da-f]{12}[)}]?$/i;

const PLAIN: Readonly<Record<string, Rule>> = {
  alpha: (value) => /^[a-z]*$/i.test(value),
  bool: (value) => /^(true|false)$/i.test(value),
  datetime: (value) => !Number.isNaN(Date.parse(value)),
  decimal: (value) => DECIMAL.test(value),
  double: (value) => DOUBLE.test(value),
  float: (value) => DOUBLE.test(value),
  guid: (value) => GUID.test(value),
  int: (value) => isInteger(value, INT_MAX),
  long: (value) => isInteger(value, LONG_MAX),
  required: (value) => value !== '',
};

const WITH_NUMBERS: Readonly<Record<string, (...limits: number[]) => Rule>> = {
  length:
    (min = 0, max = min) =>
    (value) =>
      value.length >= min && value.length <= max,
  minlength:
    (min = 0) =>
    (value) =>
      value.length >= min,
  maxlength:
    (max = 0) =>
    (value) =>
      value.length <= max,
  min:
    (min = 0) =>
    (value) =>
      isInteger(value, LONG_MAX) && Number(value) >= min,
  max:
    (max = 0) =>
    (value) =>
      isInteger(value, LONG_MAX) && Number(value) <= max,
  range:
    (min = 0, max = min) =>
    (value) =>
      isInteger(value, LONG_MAX) && Number(value) >= min && Number(value) <= max,
};

/** Parses one constraint of a route parameter, `int` or `range(1,5)`; throws an Error when unknown. */
export function parseConstraint(text: string): RouteConstraint {
  const written = text.trim();
  const rule = ruleOf(written);
  if (rule === undefined) {
    throw new Error(`The inline constraint '${written}' of the route cannot be resolved.`);
  }
  return Object.assign((value: string) => rule(value), { text: written.toLowerCase() });
}

function ruleOf(text: string): Rule | undefined {
  const [, name = '', args] = /^(\w+)(?:\((.*)\))?$/s.exec(text) ?? [];
  const key = name.toLowerCase();
  if (args === undefined) return PLAIN[key];
  if (key === 'regex') {
    const pattern = new RegExp(args, 'i');
    return (value) => pattern.test(value);
  }
  const limits = args.split(',').map(Number);
  return limits.some(Number.isNaN) ? undefined : WITH_NUMBERS[key]?.(...limits);
}

function isInteger(value: string, max: bigint): boolean {
  if (!/^[+-]?\d{1,19}$/.test(value)) return false;
  const parsed = BigInt(value.replace(/^\+/, ''));
  return parsed <= max && parsed >= -max - 1n;
}
