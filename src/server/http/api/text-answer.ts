/** Payloads as text, whole or in parts. */
import { z } from 'zod';

export const textQuery = z.strictObject({
  offset: z.coerce.number().int().min(0).default(0).describe('In characters'),
  length: z.coerce.number().int().min(1).max(1_000_000).optional(),
  download: z.enum(['true', 'false']).default('false'),
});

export type TextQuery = z.infer<typeof textQuery>;

/**
 * Text as it was stored, never as something that a browser would run. UTF-8 has no lone surrogates: they come as
 * U+FFFD, as in any file.
 */
export function textAnswer(
  text: string,
  { query, name }: { readonly query: TextQuery; readonly name: string },
): Response {
  const { offset, length = text.length } = query;
  const part = text.slice(offset, offset + length);
  const isDownload = query.download === 'true';
  const headers = new Headers({
    'Content-Type': isDownload ? 'application/octet-stream' : 'text/plain; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'X-Total-Length': String(text.length),
  });
  if (isDownload) headers.set('Content-Disposition', `attachment; filename="${name}.json"`);
  return new Response(part, { headers });
}
