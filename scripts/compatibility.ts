/**
 * Writes docs/COMPATIBILITY.md: each row of the protocol with the tests that show it.
 *
 *   node scripts/compatibility.ts           writes the file; fails when a row has no test
 *
 * A test names its rows in a comment above it: `// [wp 3.10-missing, 3.1-get]`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import prettier from 'prettier';
import type { Row } from '../test/compat/row.ts';
import { ROWS } from '../test/compat/rows.ts';

const ROOT = join(import.meta.dirname, '..');
const SUITE = join(ROOT, 'test', 'compat');

/** Where the document belongs. */
export const COMPATIBILITY_FILE = join(ROOT, 'docs', 'COMPATIBILITY.md');

interface Evidence {
  /** From the root of the repository. */
  readonly file: string;
  readonly test: string;
}

const TAG = /\/\/ \[wp ([^\]]+)\]/g;
const TITLE = /\bit\(\s*(['"`])((?:\\.|(?!\1)[^])*)\1/;

/** Which tests show which row, and how many tests there are. */
function readEvidence(): { readonly byRow: Map<string, Evidence[]>; readonly tests: number } {
  const byRow = new Map<string, Evidence[]>();
  let tests = 0;
  const files = readdirSync(SUITE, { recursive: true, encoding: 'utf8' });
  for (const name of files.filter((file) => file.endsWith('.test.ts')).sort()) {
    const text = readFileSync(join(SUITE, name), 'utf8');
    const file = relative(ROOT, join(SUITE, name)).replaceAll('\\', '/');
    tests += text.match(/^\s*it\(/gm)?.length ?? 0;
    for (const tag of text.matchAll(TAG)) {
      const title = TITLE.exec(text.slice(tag.index))?.[2] ?? '';
      const test = title.replaceAll(/\$\{[^}]*\}/g, '…').replaceAll('\\', '');
      for (const id of (tag[1] ?? '').split(',')) {
        const found = byRow.get(id.trim()) ?? [];
        byRow.set(id.trim(), [...found, { file, test }]);
      }
    }
  }
  return { byRow, tests };
}

export interface Compatibility {
  readonly text: string;
  /** Rows without a test, and tests that name a row that is not there. */
  readonly problems: readonly string[];
}

/** The document as it should be. */
export async function compatibility(): Promise<Compatibility> {
  const { byRow, tests } = readEvidence();
  const known = new Set(ROWS.map(({ id }) => id));
  const problems = [
    ...ROWS.filter(({ id, later }) => later === undefined && !byRow.has(id)).map(
      ({ id }) => `row ${id} has no test: name it above one with // [wp ${id}]`,
    ),
    ...[...byRow.keys()]
      .filter((id) => !known.has(id))
      .map((id) => `a test names row ${id}, which is not in test/compat/rows-of-*.ts`),
    ...(known.size < ROWS.length ? ['a row id is there twice'] : []),
  ];
  const built = ROWS.filter(({ later }) => later === undefined).length;
  const markdown = [
    HEAD,
    `${built} rows with a test over a real socket, ${ROWS.length - built} to come; ${tests} tests.`,
    '',
    ...[...new Set(ROWS.map(({ section }) => section))].map((section) =>
      sectionText(
        ROWS.filter((row) => row.section === section),
        byRow,
      ),
    ),
    SDKS,
  ].join('\n');
  return { text: await prettier.format(markdown, { parser: 'markdown' }), problems };
}

function sectionText(rows: readonly Row[], byRow: ReadonlyMap<string, Evidence[]>): string {
  const [{ section, title } = { section: '', title: '' }] = rows;
  return [
    `## ${section} ${title}`,
    '',
    '| Row | Mark | Promise | Shown by |',
    '| --- | --- | --- | --- |',
    ...rows.map(
      ({ id, mark, statement, later }) =>
        `| ${id} | ${mark} | ${statement} | ${later === undefined ? links(byRow.get(id) ?? []) : `comes ${later}`} |`,
    ),
    '',
  ].join('\n');
}

function links(evidence: readonly Evidence[]): string {
  return evidence
    .map(
      ({ file, test }) =>
        `[${test.replaceAll('|', '\\|').replaceAll(/([[\]])/g, '\\$1')}](../${file})`,
    )
    .join('<br>');
}

const HEAD = `# Compatibility

What clients and workers of the Durable Task Scheduler may rely on, each promise with the tests that
show it. Written by \`node scripts/compatibility.ts\` from \`test/compat\`; do not edit.

Each test talks to the scheduler through a real socket: \`test/compat/published-sdk\` is the published
\`@microsoft/durabletask-js\`, unmodified, as client and worker; \`test/compat/wire\` drives single
messages by hand for what no SDK shows. All run with \`npm test\`.

Marks: **D** seen of the product or documented for it; **C** a published client breaks otherwise; **R** our
choice where the sources are silent or disagree.
`;

const SDKS = `## Other SDKs

| SDK | How it is tested |
| --- | --- |
| JavaScript, \`@microsoft/durabletask-js\` | with \`npm test\`: \`test/compat/published-sdk\` |
| Python, \`durabletask\` and \`durabletask-azuremanaged\` | \`npm run test:sdks\` (Python 3.10+): 1.12.0, client and worker, 104 cases each; azuremanaged also on SQLite |
| Java, \`com.microsoft:durabletask-client\` | \`npm run test:sdks\` (JDK 11+, Maven): 1.5.0, the newest that the registry used here serves, client and worker, 52 cases on memory and SQLite. It knows no completion tokens: its completions are matched by instance and task. The azuremanaged companions were not served; the suite sends the header they add |
| .NET, \`Microsoft.DurableTask.*\` | not run: the package registries that this project uses do not serve it. Its wire behaviour (chunked completions, action ids from 0, history streaming, all three limits sent) is driven by hand in \`test/compat/wire\` |
`;

async function main(): Promise<void> {
  const { text, problems } = await compatibility();
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else writeFileSync(COMPATIBILITY_FILE, text);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
