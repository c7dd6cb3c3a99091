/** A link carries no token: where one is needed, what it names is fetched with it, and saved from memory. */
import { getFile } from '../api.ts';
import { authorization } from '../session.ts';
import { toast } from './basics.tsx';

/** How long a browser may take to begin saving, in ms. */
const SAVING_MS = 60_000;

async function save(path: string): Promise<void> {
  const { name, body } = await getFile(path);
  giveFile(body, name);
}

/** Gives the browser a file to keep. */
export function giveFile(body: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(body);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), SAVING_MS);
}

export function downloadWithToken(): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[download]') : null;
    if (!(link instanceof HTMLAnchorElement) || link.protocol === 'blob:') return;
    if (!('Authorization' in authorization())) return;
    event.preventDefault();
    save(link.pathname + link.search).catch((error: unknown) =>
      toast(error instanceof Error ? error.message : String(error)),
    );
  });
}
