import { parseConstraint } from './route-constraints.ts';
import type { RouteConstraint } from './route-constraints.ts';

/**
 * An HTTP route in the template language of ASP.NET: literals, `{id}`, `{id?}`, `{id=value}`,
 * `{*rest}`, constraints `{id:int:min(1)}`, and several parts in one segment (`{name}.{ext}`).
 * Matching is not case-sensitive.
 */
export interface RouteTemplate {
  readonly text: string;
  readonly segments: readonly RouteSegment[];
  /** Compared as text: the smaller wins when several routes match. */
  readonly precedence: string;
  /** The same for two templates that match the same paths, whatever their parameters are called. */
  readonly shape: string;
}

export interface RouteSegment {
  readonly parts: readonly RoutePart[];
  /** Matches one segment of a path and captures its parameters, in order. */
  readonly pattern: RegExp;
}

export type RoutePart =
  | { readonly kind: 'literal'; readonly text: string }
  | (RouteParameter & { readonly kind: 'parameter' });

interface RouteParameter {
  readonly name: string;
  readonly isCatchAll: boolean;
  readonly isOptional: boolean;
  readonly fallback: string | undefined;
  readonly constraints: readonly RouteConstraint[];
}

/** Parses a route; throws an Error with a sentence for the function's error when it is malformed. */
export function parseRoute(text: string): RouteTemplate {
  const trimmed = text.replace(/^~?\//, '').replace(/\/$/, '');
  const segments = trimmed === '' ? [] : splitSegments(trimmed).map((each) => parseSegment(each));
  checkParameters(text, segments);
  return {
    text: trimmed,
    segments,
    precedence: segments.map(precedenceDigit).join(''),
    shape: segments.map(shapeOf).join('/'),
  };
}

/**
 * The parameters of `path` (decoded segments) under a route, or `undefined` when it does not match.
 * An optional parameter that the path lacks is the empty string.
 */
export function matchRoute(
  route: RouteTemplate,
  path: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const params: Record<string, string> = {};
  for (const [index, segment] of route.segments.entries()) {
    const whole = segment.parts.length === 1 ? segment.parts[0] : undefined;
    const parameter = whole?.kind === 'parameter' ? whole : undefined;
    if (parameter?.isCatchAll === true) {
      const rest = path.slice(index).join('/');
      return accept(params, parameter, rest) ? params : undefined;
    }
    const given = path[index];
    if (given === undefined) {
      if (parameter === undefined || !acceptMissing(params, parameter)) return undefined;
    } else if (!matchSegment(params, segment, given)) return undefined;
  }
  return path.length > route.segments.length ? undefined : params;
}

function acceptMissing(params: Record<string, string>, parameter: RouteParameter): boolean {
  if (parameter.fallback === undefined && !parameter.isOptional) return false;
  params[parameter.name] = parameter.fallback ?? '';
  return true;
}

function matchSegment(
  params: Record<string, string>,
  segment: RouteSegment,
  given: string,
): boolean {
  const match = segment.pattern.exec(given);
  if (match === null) return false;
  return segment.parts
    .filter((part) => part.kind === 'parameter')
    .every((part, index) => accept(params, part, match[index + 1] ?? ''));
}

function accept(params: Record<string, string>, parameter: RouteParameter, text: string): boolean {
  const value = text === '' ? (parameter.fallback ?? '') : text;
  const mayBeEmpty = value === '' && (parameter.isCatchAll || parameter.isOptional);
  if (!mayBeEmpty && !parameter.constraints.every((constraint) => constraint(value))) return false;
  params[parameter.name] = value;
  return true;
}

/** Splits at slashes outside of braces: a regular expression constraint may hold one. */
function splitSegments(text: string): string[] {
  return text.split(/\/(?![^{]*\}(?!\}))/);
}

const PART = /\{((?:[^{}]|\{\{|\}\})*)\}|((?:[^{}]|\{\{|\}\})+)/gy;

function parseSegment(text: string): RouteSegment {
  const parts: RoutePart[] = [];
  let read = 0;
  for (const [whole, parameter, literal] of text.matchAll(PART)) {
    read += whole.length;
    if (parameter !== undefined) parts.push(parseParameter(parameter));
    else if (literal !== undefined) parts.push({ kind: 'literal', text: unescape(literal) });
  }
  if (read !== text.length || parts.length === 0) {
    throw new Error(`The route template has an unmatched brace or an empty segment: '${text}'.`);
  }
  if (parts.length > 1 && parts.some((part) => part.kind === 'parameter' && part.isCatchAll)) {
    throw new Error(`A path segment that has a catch-all parameter cannot have more: '${text}'.`);
  }
  return { parts, pattern: new RegExp(`^${parts.map(partPattern).join('')}$`, 'is') };
}

function unescape(text: string): string {
  return text.replaceAll('{{', '{').replaceAll('}}', '}');
}

/** An optional part takes the dot before it along: `{name}.{ext?}` matches `file` and `a.b.txt`. */
function partPattern(part: RoutePart, index: number, parts: readonly RoutePart[]): string {
  const isBeforeOptional = (ahead: number): boolean => {
    const later = parts[index + ahead];
    return later?.kind === 'parameter' && later.isOptional;
  };
  if (part.kind === 'literal') {
    if (part.text === '.' && isBeforeOptional(1)) return '';
    return part.text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  }
  if (part.isOptional && parts.length > 1) return String.raw`(?:\.([^.]+))?`;
  return isBeforeOptional(2) ? '(.+?)' : '(.+)';
}

function parseParameter(text: string): RoutePart {
  const [, stars = '', name, written = ''] = /^(\*{0,2})([^:=?*]+)(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw new Error(`The route parameter name '${text}' is invalid.`);
  const constraints = [...written.matchAll(CONSTRAINT)];
  const tail = written.slice(constraints.map(([whole]) => whole).join('').length);
  if (tail !== '' && tail !== '?' && !tail.startsWith('=')) {
    throw new Error(`The route parameter '{${text}}' is invalid at '${tail}'.`);
  }
  return {
    kind: 'parameter',
    name: name.trim(),
    isCatchAll: stars !== '',
    isOptional: tail === '?',
    fallback: tail.startsWith('=') ? tail.slice(1) : undefined,
    constraints: constraints.map(([, each = '']) => parseConstraint(unescape(each))),
  };
}

/** `:int` or `:range(1,5)`; an argument ends at the parenthesis that something may follow. */
const CONSTRAINT = /:([^:=?(]+(?:\(.*?\)(?=[:=]|\?$|$))?)/gsy;

function checkParameters(text: string, segments: readonly RouteSegment[]): void {
  const parameters = segments.flatMap((segment) =>
    segment.parts.filter((part) => part.kind === 'parameter'),
  );
  const names = parameters.map((parameter) => parameter.name.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new Error(`The route parameter name '${twice}' appears more than one time in '${text}'.`);
  }
  const last = segments.length - 1;
  const isEarlyCatchAll = segments.some(
    (segment, index) =>
      index < last && segment.parts.some((part) => part.kind === 'parameter' && part.isCatchAll),
  );
  if (isEarlyCatchAll) {
    throw new Error(`A catch-all parameter can only appear as the last segment of '${text}'.`);
  }
}

/** Literal, then several parts or a constrained parameter, then a parameter, then catch-all. */
function precedenceDigit(segment: RouteSegment): string {
  const [first, ...more] = segment.parts;
  if (more.length > 0) return '2';
  if (first === undefined || first.kind === 'literal') return '1';
  const isConstrained = first.constraints.length > 0;
  if (first.isCatchAll) return isConstrained ? '4' : '5';
  return isConstrained ? '2' : '3';
}

function shapeOf(segment: RouteSegment): string {
  return segment.parts
    .map((part) => {
      if (part.kind === 'literal') return part.text.toLowerCase();
      const names = part.constraints.map((constraint) => constraint.text).join(':');
      return `{${part.isCatchAll ? '*' : ''}:${names}${part.isOptional ? '?' : ''}}`;
    })
    .join('');
}
