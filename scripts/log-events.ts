/** `node scripts/log-events.ts` writes the table of docs/LOGS.md from the catalogue; a test compares. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { format } from 'prettier';
import { LOG_EVENTS } from '../src/telemetry/log-events.ts';

const BEGIN = '<!-- events -->';
const END = '<!-- end of events -->';

export const LOGS_FILE = new URL('../docs/LOGS.md', import.meta.url);

/** docs/LOGS.md as it should be, given what stands around its table. */
export async function logEventsPage(text: string): Promise<string> {
  const [before = '', rest = ''] = text.split(BEGIN);
  const [, after = ''] = rest.split(END);
  const rows = Object.entries(LOG_EVENTS).map(
    ([name, { id, level, message, meaning }]) =>
      `| ${id} | \`${name}\` | ${level} | ${message} | ${meaning} |`,
  );
  const table = ['| Id | Name | Level | Sentence | Meaning |', '| -: | - | - | - | - |', ...rows];
  return format([before + BEGIN, '', ...table, '', END + after].join('\n'), {
    parser: 'markdown',
    printWidth: 140,
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(LOGS_FILE, await logEventsPage(readFileSync(LOGS_FILE, 'utf8')));
}
