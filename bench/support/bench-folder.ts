import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A new folder on the disk of the repository: the system's temporary folder may be in memory. */
export function openBenchFolder(): string {
  const parent = fileURLToPath(new URL('../../.tmp', import.meta.url));
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, 'bench-'));
}
