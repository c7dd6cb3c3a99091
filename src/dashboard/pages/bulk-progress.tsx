/** A bulk job under way: on its own page, and in the list that started it. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import type { BulkJobJson } from '../../server/http/api/contract.ts';
import { post } from '../api.ts';
import { ACTION_TEXTS } from '../model/actions.ts';
import { duration, integer } from '../model/format.ts';
import { apiPath } from '../model/routes.ts';
import { ProblemCard, toast } from '../parts/basics.tsx';
import { useData } from '../parts/use-data.ts';

const POLL_MS = 500;

function isRunning({ state }: BulkJobJson): boolean {
  return state === 'queued' || state === 'running' || state === 'cancelling';
}

interface BulkProgressProps {
  readonly hub: string;
  readonly id: string;
  readonly onFinished?: () => void;
}

/** How far a bulk job is, and the button that cancels the rest of it. */
export function BulkProgress({ hub, id, onFinished }: BulkProgressProps): JSX.Element {
  const path = apiPath(hub, `bulk-jobs/${id}`);
  const { data: job, error, reload } = useData<BulkJobJson>(path);
  useEffect(() => {
    if (!job) return undefined;
    if (isRunning(job)) {
      const timer = setTimeout(reload, POLL_MS);
      return () => clearTimeout(timer);
    }
    onFinished?.();
    return undefined;
  }, [job]);
  if (error !== undefined) return <ProblemCard error={error} onRetry={reload} />;
  if (!job) return <p>…</p>;
  const cancel = (): void => {
    post(`${path}/cancel`, {}).then(reload, (failure: unknown) =>
      toast(failure instanceof Error ? failure.message : String(failure)),
    );
  };
  const touched = job.done + job.skipped + job.failed;
  const left = job.total - touched;
  return (
    <div>
      <p aria-live="polite">
        {ACTION_TEXTS[job.action].verb}: <strong>{job.state}</strong> · {integer(touched)} of{' '}
        {integer(job.total)}
        {job.isTotalCapped && '+'} · ✓ {integer(job.done)} done · ↷ {integer(job.skipped)} skipped ·
        ✕ {integer(job.failed)} failed
        {job.state === 'cancelled' && ` · ${integer(Math.max(0, left))} not touched`}
        {job.finishedAt !== undefined &&
          ` · took ${duration(Date.parse(job.finishedAt) - Date.parse(job.createdAt))}`}
      </p>
      <progress max={Math.max(1, job.total)} value={touched} aria-label="Progress" />
      {isRunning(job) && (
        <button type="button" class="danger" onClick={cancel}>
          Cancel the rest
        </button>
      )}
    </div>
  );
}
