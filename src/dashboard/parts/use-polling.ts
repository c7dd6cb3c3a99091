import { useEffect } from 'preact/hooks';
import { isAuto } from '../habits.ts';

/** Asks again and again while the page is looked at. */
export function usePolling(ask: () => void, everyMs: number): void {
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible' && isAuto.value) ask();
    }, everyMs);
    return () => clearInterval(timer);
  }, [ask, everyMs]);
}
