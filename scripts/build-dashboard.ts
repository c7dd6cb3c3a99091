/** Bundles the web front end into static files. */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** `outDir` is emptied first. */
export async function buildDashboard(outDir: string): Promise<void> {
  await build({
    root: fileURLToPath(new URL('../src/dashboard', import.meta.url)),
    configFile: false,
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      reportCompressedSize: false,
    },
  });
}
