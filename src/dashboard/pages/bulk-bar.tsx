/** Actions on many: the selection, or everything that matches as of the moment of the preview. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { BulkJobJson, CountJson } from '../../server/http/api/contract.ts';
import { post } from '../api.ts';
import { serverNow } from '../live.ts';
import { ACTION_TEXTS, ACTIONS, type ActionName } from '../model/actions.ts';
import { capped, plural } from '../model/format.ts';
import { apiPath, hubHref } from '../model/routes.ts';
import { cannotAct, ProblemCard } from '../parts/basics.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { useData } from '../parts/use-data.ts';
import { ActionFields, argsBody, NO_ARGS } from './action-fields.tsx';
import { BulkProgress } from './bulk-progress.tsx';
import { TIME_FILTERS } from './exact-times.tsx';
import { filterQuery } from './filters.tsx';

export interface BulkBarProps {
  readonly hub: string;
  readonly selected: ReadonlySet<string>;
  readonly isAllMatching: boolean;
  readonly onAllMatching: () => void;
  readonly onClear: () => void;
  readonly onDone: () => void;
}

export function BulkBar(props: BulkBarProps): JSX.Element {
  const { hub, selected, isAllMatching, onAllMatching, onClear, onDone } = props;
  const [action, setAction] = useState<ActionName>();
  const [job, setJob] = useState<string>();
  return (
    <section class="bulk-bar" aria-label="Bulk actions">
      <div class="actions">
        <strong aria-live="polite">
          {isAllMatching ? 'Everything that matches is selected' : `${selected.size} selected`}
        </strong>
        {ACTIONS.map((name) => (
          <button type="button" key={name} disabled={cannotAct()} onClick={() => setAction(name)}>
            {ACTION_TEXTS[name].verb}
          </button>
        ))}
        {!isAllMatching && (
          <button type="button" class="link" onClick={onAllMatching}>
            Select all that match
          </button>
        )}
        <button type="button" class="link" onClick={onClear}>
          Clear selection
        </button>
      </div>
      {job !== undefined && (
        <>
          <BulkProgress {...{ hub }} id={job} onFinished={onDone} />
          <a href={hubHref(hub, `bulk/${job}`)}>Open the job</a>
        </>
      )}
      {action !== undefined && (
        <BulkConfirm
          {...{ hub, action, selected, isAllMatching }}
          onClose={() => setAction(undefined)}
          onStarted={setJob}
        />
      )}
    </section>
  );
}

interface BulkConfirmProps {
  readonly hub: string;
  readonly action: ActionName;
  readonly selected: ReadonlySet<string>;
  readonly isAllMatching: boolean;
  readonly onClose: () => void;
  readonly onStarted: (job: string) => void;
}

/** The filter as of now: what starts later is not touched. */
function frozenFilter(): Record<string, string | readonly string[]> {
  const params = filterQuery();
  const now = new Date(serverNow());
  if (!params.has('createdTo')) params.set('createdTo', now.toISOString());
  for (const name of Object.keys(TIME_FILTERS)) {
    const relative = /^-(\d+)([smhd])$/.exec(params.get(name) ?? '');
    if (!relative) continue;
    const unitMs = { s: 1e3, m: 6e4, h: 36e5, d: 864e5 }[relative[2] ?? 's'] ?? 1e3;
    params.set(name, new Date(now.getTime() - Number(relative[1]) * unitMs).toISOString());
  }
  return Object.fromEntries(
    [...new Set(params.keys())].map((name) => {
      const values = params.getAll(name);
      return [name, values.length === 1 ? (values[0] ?? '') : values];
    }),
  );
}

interface PreviewOptions extends Pick<BulkConfirmProps, 'hub' | 'selected' | 'isAllMatching'> {
  readonly filter: Record<string, string | readonly string[]>;
}

/** How many it would be. */
function usePreview({ hub, filter, selected, isAllMatching }: PreviewOptions): {
  readonly params: URLSearchParams;
  readonly count: CountJson | undefined;
  readonly error: unknown;
} {
  const params = new URLSearchParams(
    Object.entries(filter).flatMap(([name, value]) =>
      (typeof value === 'string' ? [value] : value).map((each) => [name, each]),
    ),
  );
  const path = apiPath(hub, `orchestrations/count?${params.toString()}`);
  const { data, error } = useData<CountJson>(isAllMatching ? path : undefined);
  const count = isAllMatching ? data : { count: selected.size, isCapped: false };
  return { params, count, error };
}

function BulkConfirm(props: BulkConfirmProps): JSX.Element {
  const { hub, action, selected, isAllMatching, onClose, onStarted } = props;
  const [filter] = useState(frozenFilter);
  const [args, setArgs] = useState(NO_ARGS);
  const text = ACTION_TEXTS[action];
  const { params, count, error } = usePreview({ hub, filter, selected, isAllMatching });
  const shown = count ? capped(count) : '…';
  const isMany = count !== undefined && (count.isCapped || count.count > 50);
  const run = async (): Promise<void> => {
    const job = await post<BulkJobJson>(apiPath(hub, 'bulk-jobs'), {
      action,
      ...(isAllMatching ? { filter } : { ids: [...selected] }),
      args: argsBody(args),
    });
    onStarted(job.id);
  };
  return (
    <Confirm
      title={isAllMatching ? `${text.verb} all that match` : `${text.verb} the selection`}
      verb={`${text.verb} ${shown}`}
      onConfirm={run}
      onClose={onClose}
      {...(isMany && { typed: shown })}
    >
      <p>
        <strong>{count ? plural(count.count, 'instance') : 'Counting…'}</strong>
        {count?.isCapped === true && ' or more'}. {text.effect}
      </p>
      <p class="muted">Those in a state that does not allow it are skipped, not changed.</p>
      {isAllMatching && (
        <ul>
          {[...params].map(([name, value]) => (
            <li>
              {name}: <bdi>{value}</bdi>
            </li>
          ))}
        </ul>
      )}
      {error !== undefined && <ProblemCard error={error} />}
      <ActionFields whose="their" {...{ action, args }} onChange={setArgs} />
    </Confirm>
  );
}
