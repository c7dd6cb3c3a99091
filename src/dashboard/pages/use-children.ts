/** The stories of sub-orchestrations that are shown in place: one request each, again while they go on. */
import { useEffect, useState } from 'preact/hooks';
import type { HistoryJson } from '../../server/http/api/contract.ts';
import { get, Problem } from '../api.ts';
import { tellStory } from '../model/history.ts';
import { instanceApi } from '../model/routes.ts';
import type { Story } from '../model/story.ts';

/** Events that one request brings; longer histories have a page of their own. */
const EVENTS_MAX = 2000;
const AGAIN_MS = 2000;

export type ChildStories = ReadonlyMap<string, Story | string>;

/** By the ids of sub-orchestrations: their stories, or a sentence why there is none. */
export function useChildren(hub: string, ids: readonly string[]): ChildStories {
  const [known, setKnown] = useState<ChildStories>(new Map());
  const key = ids.join('\n');
  useEffect(() => {
    if (ids.length === 0) return undefined;
    const controller = new AbortController();
    const look = async (id: string): Promise<void> => {
      const before = known.get(id);
      if (typeof before === 'object' && before.endAt !== undefined) return;
      const story = await read(hub, id, controller.signal);
      if (!controller.signal.aborted) setKnown((all) => new Map(all).set(id, story));
    };
    const lookAll = (): void => {
      if (document.visibilityState !== 'visible') return;
      for (const id of ids) void look(id);
    };
    lookAll();
    const timer = setInterval(lookAll, AGAIN_MS);
    return () => {
      controller.abort();
      clearInterval(timer);
    };
  }, [hub, key]);
  return known;
}

async function read(hub: string, id: string, signal: AbortSignal): Promise<Story | string> {
  try {
    const path = instanceApi(hub, id, 'history', `limit=${EVENTS_MAX}`);
    const { items, next } = await get<HistoryJson>(path, signal);
    return next === undefined
      ? tellStory(items)
      : `It has more than ${EVENTS_MAX} events: open it on its own page.`;
  } catch (error) {
    if (error instanceof Problem) return error.message;
    return 'Its history could not be read.';
  }
}
