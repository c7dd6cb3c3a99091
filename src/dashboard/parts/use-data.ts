import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { get } from '../api.ts';
import { resync } from '../live.ts';

export interface Loaded<T> {
  /** The last answer; stays while another is on its way. */
  readonly data: T | undefined;
  readonly error: unknown;
  readonly reload: () => void;
  /** Changes what is shown without asking. */
  readonly patch: (change: (data: T) => T) => void;
}

/** Asks when the path changes, when told to, and when a lost connection is back. */
export function useData<T>(path: string | undefined): Loaded<T> {
  const [state, setState] = useState<{ path?: string; data?: T; error?: unknown }>({});
  const [asked, setAsked] = useState(0);
  const latest = useRef(0);
  const synced = resync.value;
  useEffect(() => {
    if (path === undefined) return undefined;
    const controller = new AbortController();
    const mine = (latest.current += 1);
    get<T>(path, controller.signal).then(
      (data) => {
        if (mine === latest.current) setState({ path, data });
      },
      (error: unknown) => {
        if (controller.signal.aborted || mine !== latest.current) return;
        setState((before) => ({ ...(before.path === path ? before : { path }), error }));
      },
    );
    return () => controller.abort();
  }, [path, asked, synced]);
  const reload = useCallback(() => setAsked((count) => count + 1), []);
  const patch = useCallback((change: (data: T) => T) => {
    setState((before) =>
      before.data === undefined ? before : { ...before, data: change(before.data) },
    );
  }, []);
  return { data: state.data, error: state.error, reload, patch };
}
