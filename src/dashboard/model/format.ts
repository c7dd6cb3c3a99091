/** Durations, sizes and times as people read them. */

/** `12.4 s`, `3 min 12 s`, `4 d 2 h`. */
export function duration(ms: number): string {
  const value = Math.max(0, ms);
  if (value < 1000) return `${Math.round(value)} ms`;
  if (value < 60_000) return `${(value / 1000).toFixed(1)} s`;
  const seconds = Math.floor(value / 1000);
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count], index) => index === 0 || count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  const kib = count / 1024;
  return kib < 1024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}

const integers = new Intl.NumberFormat('en');

export function integer(count: number): string {
  return integers.format(count);
}

/** A count that stopped somewhere: `10,000+`. */
export function capped({ count, isCapped }: { count: number; isCapped: boolean }): string {
  return `${integer(count)}${isCapped ? '+' : ''}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${integer(count)} ${count === 1 ? one : many}`;
}

/** `14:03:22.120` */
export function clockTime(at: number, isUtc: boolean): string {
  return new Intl.DateTimeFormat('en-GB', {
    ...(isUtc && { timeZone: 'UTC' }),
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3 },
  }).format(at);
}

/** `14:03:22`, or `14:03` where seconds say nothing. */
export function shortTime(at: number, isUtc: boolean, hasSeconds = true): string {
  return new Intl.DateTimeFormat('en-GB', {
    ...(isUtc && { timeZone: 'UTC' }),
    ...{ hour: '2-digit', minute: '2-digit', ...(hasSeconds && { second: '2-digit' }) },
  }).format(at);
}

export function dateTime(at: number, isUtc: boolean): string {
  return new Intl.DateTimeFormat('en-CA', {
    ...(isUtc && { timeZone: 'UTC' }),
    ...{ year: 'numeric', month: '2-digit', day: '2-digit', hourCycle: 'h23' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
  })
    .format(at)
    .replace(',', '');
}

/** Pieces of a text in which everything that is invisible or turns the direction of reading is written out. */
export interface VisiblePiece {
  readonly text: string;
  readonly isEscape: boolean;
}

// Control, bidirectional and zero-width characters, the byte order mark, halves of surrogate pairs, and a space that an
// id begins or ends with.
const INVISIBLE =
  /^ (?!.*\n)| $(?<!\n.*)|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

export function visible(text: string): readonly VisiblePiece[] {
  const pieces: VisiblePiece[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(INVISIBLE)) {
    if (index > from) pieces.push({ text: text.slice(from, index), isEscape: false });
    const code = found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    pieces.push({ text: `⟨U+${code}⟩`, isEscape: true });
    from = index + found.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), isEscape: false });
  return pieces;
}

/** Indents JSON without parsing it: numbers, double keys and escapes stay as they were written. */
export function indentJson(text: string): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  let depth = 0;
  const line = (): string => `\n${'  '.repeat(Math.min(depth, 64))}`;
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
  return tokens
    .map((token, index) => {
      const next = tokens[index + 1];
      if (token === '{' || token === '[') {
        depth += 1;
        return next === '}' || next === ']' ? token : token + line();
      }
      if (token === '}' || token === ']') {
        depth -= 1;
        const previous = tokens[index - 1];
        return previous === '{' || previous === '[' ? token : line() + token;
      }
      if (token === ',') return token + line();
      return token === ':' ? ': ' : token;
    })
    .join('');
}
