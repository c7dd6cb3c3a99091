/** The built dashboard: a handful of files, read once, each sent compressed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** Nothing from elsewhere, nothing inline, nothing framed; `connectTo`: the one origin that tokens come from. */
function contentSecurityPolicy(connectTo: string | undefined): string {
  return POLICY.map((rule) =>
    connectTo !== undefined && rule.startsWith('connect-src') ? `${rule} ${connectTo}` : rule,
  ).join('; ');
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "font-src 'none'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
];

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

interface DashboardFile {
  readonly type: string;
  readonly plain: Uint8Array;
  readonly gzip: Uint8Array;
  readonly brotli: Uint8Array;
}

export class DashboardFiles {
  readonly #files: ReadonlyMap<string, DashboardFile>;

  constructor(files: ReadonlyMap<string, DashboardFile>) {
    this.#files = files;
  }

  /** `undefined` when it has not been built: run from source, without a build. */
  static read(folder = defaultFolder()): DashboardFiles | undefined {
    if (!existsSync(join(folder, 'index.html'))) return undefined;
    const files = new Map<string, DashboardFile>();
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const type = TYPES[name.split('.').at(-1) ?? ''];
      if (type === undefined) continue;
      const plain = readFileSync(join(folder, name));
      const brotli = brotliCompressSync(plain, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 6 },
      });
      const path = `/${name.replaceAll('\\', '/')}`;
      files.set(path, { type, plain, gzip: gzipSync(plain), brotli });
    }
    return new DashboardFiles(files);
  }

  /** The file at a path; the page itself for every path that is no file. */
  answer(
    path: string,
    {
      acceptEncoding,
      connectTo,
    }: { readonly acceptEncoding: string; readonly connectTo: string | undefined },
  ): Response {
    const file = this.#files.get(path) ?? this.#files.get('/index.html');
    if (!file) return new Response('Not found', { status: 404 });
    const isPage = file.type.startsWith('text/html');
    const headers = new Headers({
      'Content-Type': file.type,
      'Content-Security-Policy': contentSecurityPolicy(connectTo),
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
      // Names of assets change with their content.
      'Cache-Control': path.startsWith('/assets/')
        ? 'public, max-age=31536000, immutable'
        : 'no-cache',
      Vary: 'Accept-Encoding',
    });
    if (isPage) headers.set('Cache-Control', 'no-store');
    const [bytes, encoding] = encoded(file, acceptEncoding);
    if (encoding !== undefined) headers.set('Content-Encoding', encoding);
    return new Response(Uint8Array.from(bytes), { headers });
  }
}

function encoded(
  { plain, gzip, brotli }: DashboardFile,
  accepted: string,
): readonly [Uint8Array, string | undefined] {
  if (/\bbr\b/.test(accepted)) return [brotli, 'br'];
  return /\bgzip\b/.test(accepted) ? [gzip, 'gzip'] : [plain, undefined];
}

/** `dist/dashboard`, whether this file runs from `dist/server/http` or from `src/server/http`. */
function defaultFolder(): string {
  const isSource = import.meta.url.endsWith('.ts');
  const relative = isSource ? '../../../dist/dashboard/' : '../../dashboard/';
  return fileURLToPath(new URL(relative, import.meta.url));
}
