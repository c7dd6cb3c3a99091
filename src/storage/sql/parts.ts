/** Cutting a round into transactions. */
import type { RowCommit } from '../round/apply.ts';
import type { Commit, CreateHubCommit, DeleteHubCommit, Taker } from '../store.ts';
import type { RoundPart } from './runner.ts';

/** Runs of commits between changes of hubs, which have transactions of their own; the last is never a hub. */
export function splitAtHubs(
  commits: readonly Commit[],
): (RowCommit[] | CreateHubCommit | DeleteHubCommit)[] {
  let current: RowCommit[] = [];
  const segments: (RowCommit[] | CreateHubCommit | DeleteHubCommit)[] = [];
  for (const commit of commits) {
    if (commit.kind === 'createHub' || commit.kind === 'deleteHub') {
      if (current.length > 0) segments.push(current);
      segments.push(commit);
      current = [];
    } else {
      current.push(commit);
    }
  }
  return [...segments, current];
}

export interface HubPart extends RoundPart {
  /** Places of its commits among all. */
  readonly indexes: readonly number[];
}

interface Growing extends HubPart {
  readonly indexes: number[];
  readonly commits: RowCommit[];
  readonly takers: Taker[];
}

/**
 * One part for each hub, those with commits first. A hub that only has takers, or timers, gets one where `isDue`
 * says that there may be something for it.
 */
export function splitByHub(
  { commits, takers, now }: Pick<RoundPart, 'commits' | 'takers' | 'now'>,
  { hubs, isDue }: { readonly hubs: Iterable<string>; readonly isDue: (hub: string) => boolean },
): readonly HubPart[] {
  const parts = new Map<string, Growing>();
  const partOf = (hub: string): Growing => {
    const part = parts.get(hub) ?? { hub, indexes: [], commits: [], takers: [], now };
    parts.set(hub, part);
    return part;
  };
  for (const [index, commit] of commits.entries()) {
    const part = partOf(commit.hub);
    part.commits.push(commit);
    part.indexes.push(index);
  }
  for (const hub of hubs) if (!parts.has(hub) && isDue(hub)) partOf(hub);
  for (const taker of takers) parts.get(taker.hub)?.takers.push(taker);
  return [...parts.values()];
}
