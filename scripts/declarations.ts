import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Only Node reads this name (for `require`); compilers before TypeScript 5.6 cannot. */
const NODE_ONLY = /, (\w+) as 'module\.exports'/;

/** How our sources name each other; in declarations only compilers from TypeScript 5.0 on take it. */
const SOURCE_NAME = /((?:from |import\()(['"])\.{1,2}\/[^'"]+)\.ts\2/g;

/**
 * Makes the declarations of a build readable for the compilers that function apps have, back to
 * TypeScript 4.9. Compilers in a mode for Node 16 or 18 take `require` of an ES module for an error, which
 * it has not been since Node 22: they are shown a copy of the declarations as those of a CommonJS package.
 */
export function finishDeclarations(dist: string): void {
  const copies = join(dist, 'cjs');
  for (const file of globSync('**/*.d.ts', { cwd: dist })) {
    const written = readFileSync(join(dist, file), 'utf8');
    const text = written.replaceAll(SOURCE_NAME, '$1.js$2').replace(NODE_ONLY, '');
    for (const folder of [dist, copies]) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
  }
  writeFileSync(join(copies, 'package.json'), '{"type":"commonjs"}\n');
}
