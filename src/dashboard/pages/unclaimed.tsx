import type { JSX } from 'preact';
import { summary } from '../live.ts';
import { capped } from '../model/format.ts';
import { hubHref } from '../model/routes.ts';
import { Visible } from '../parts/basics.tsx';

/** Work that no connected worker takes: the first answer to "why does nothing happen?". */
export function Unclaimed({ hub }: { readonly hub: string }): JSX.Element | null {
  const open = (summary.value?.backlog ?? []).filter(({ isClaimed }) => !isClaimed);
  const [first] = open;
  if (!first) return null;
  const count = capped({ count: first.pending, isCapped: first.isCapped });
  const noun = first.pending === 1 ? 'item waits' : 'items wait';
  return (
    <div class="banner warn" role="status">
      <span>
        ▲ {count} {noun} for {first.kind} “<Visible text={first.name} />”
        {first.version !== '' && ` ${first.version}`}, which no connected worker takes.
        {first.closest !== undefined && ` Closest name announced: “${first.closest}”.`}
        {open.length > 1 && ` ${open.length - 1} more such names.`}
      </span>
      <a href={hubHref(hub, 'workers')}>Workers</a>
    </div>
  );
}
