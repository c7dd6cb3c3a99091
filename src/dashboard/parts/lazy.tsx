/** Parts of the page that are fetched when they are first shown. */
import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ProblemCard } from './basics.tsx';

export function lazily<P extends object>(
  load: () => Promise<ComponentType<P>>,
): (props: P) => JSX.Element {
  let known: ComponentType<P> | undefined;
  return function Lazy(props: P): JSX.Element {
    const [Part, setPart] = useState<ComponentType<P> | undefined>(() => known);
    const [error, setError] = useState<unknown>();
    useEffect(() => {
      if (Part) return;
      load().then((part) => {
        known = part;
        setPart(() => part);
      }, setError);
    }, []);
    if (error !== undefined) return <ProblemCard error={error} />;
    return Part ? <Part {...props} /> : <p class="muted">…</p>;
  };
}
