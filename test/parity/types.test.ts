import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { exportedNames, typeErrors } from './type-check.ts';
import type { ExportedName } from './type-check.ts';
import { ALLOWED_API_DIFFERENCES } from './allowed-differences.ts';

const FIXTURE = new URL('./fixtures/every-name.ts', import.meta.url);
/** What an app gives us: anything that was good for theirs is good for ours. All else we give. */
const GIVEN_BY_APPS = /(Handler|Options)$/;

describe('the types of durable-functions', function () {
  this.timeout(60_000);
  const names = exportedNames('durable-functions');

  it('are all used by the source that is compiled against both packages', () => {
    const source = readFileSync(FIXTURE, 'utf8');

    const unused = names.filter(({ name }) => !new RegExp(`\\bdf\\.${name}\\b`).test(source));

    assert.deepEqual(
      unused.map(({ name }) => name),
      [],
    );
  });

  it('are matched by ours, name by name and in one source that uses them all', () => {
    const source = readFileSync(FIXTURE, 'utf8');
    const skipped = ALLOWED_API_DIFFERENCES.flatMap(({ types = [] }) => types);
    const checks = names.flatMap(checksOf).filter(({ name }) => !skipped.includes(name));

    const errors = typeErrors({
      'names.ts': [...IMPORTS, ...checks.map(({ code }) => code)].join('\n'),
      'theirs.ts': source,
      'ours.ts': source.replace("from 'durable-functions'", "from '../../src/index.ts'"),
    });

    assert.deepEqual(errors, { 'names.ts': [], 'theirs.ts': [], 'ours.ts': [] });
  });
});

const IMPORTS = [
  "import type * as theirs from 'durable-functions';",
  "import type * as ours from '../../src/index.ts';",
];

interface Check {
  readonly name: string;
  readonly code: string;
}

/** Assignments that compile when our export can stand in for theirs. */
function checksOf({ name, isType, isValue, typeParameters }: ExportedName): readonly Check[] {
  const of = typeParameters === 0 ? '' : `<${Array(typeParameters).fill('string').join()}>`;
  const [from, to] = GIVEN_BY_APPS.test(name) ? ['theirs', 'ours'] : ['ours', 'theirs'];
  const type = `export const type${name} = (x: ${from}.${name}${of}): ${to}.${name}${of} => x;`;
  const value = `export const value${name} = (x: typeof ours.${name}): typeof theirs.${name} => x;`;
  return [
    ...(isType ? [{ name, code: type }] : []),
    ...(isValue ? [{ name: `typeof ${name}`, code: value }] : []),
  ];
}
