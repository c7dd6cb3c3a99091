/** How many workers a task hub needs, for anybody who starts and stops them. */
import { z } from 'zod';
import { decideScale, SCALE_WINDOW_MS } from '../../core/scale.ts';
import { TaskHubError } from '../../core/errors.ts';
import type { HubFigures, KindFigures } from '../../scheduler/figures.ts';
import type { Engine } from '../engine.ts';
import { scaleSchema, type ScaleJson } from '../http/api/contract.ts';
import { api, iso } from '../http/api/route.ts';
import type { HttpRoute } from '../http/http-app.ts';

const WORKERS_MAX = 10_000;
const number = z.coerce.number().int().min(0).max(WORKERS_MAX);
const querySchema = z.strictObject({
  workers: number.optional().describe('How many there are; default: those connected to this node'),
  min: number.default(0),
  max: number.default(WORKERS_MAX),
  windowSeconds: z.coerce
    .number()
    .int()
    .min(0)
    .max(SCALE_WINDOW_MS / 1000)
    .default(SCALE_WINDOW_MS / 1000)
    .describe('How long all samples must agree before the target falls'),
});
type ScaleQuery = z.infer<typeof querySchema>;

export const SCALE_ROUTES: readonly HttpRoute[] = [
  api({
    method: 'GET',
    path: '/hubs/:hub/scale',
    permission: 'connect',
    summary: 'How many workers the task hub needs',
    query: querySchema,
    answer: scaleSchema,
    handle: async ({ engine, hub, query, context }) =>
      context.json(scaleJson(await figuresOf(engine, hub), query)),
  }),
];

/** @throws TaskHubError TASK_HUB_NOT_FOUND for a hub that was deleted meanwhile. */
export async function figuresOf(
  engine: Pick<Engine, 'inspector'>,
  hub: string,
): Promise<HubFigures> {
  const { hubs } = await engine.inspector.figures.read();
  const found = hubs.find((figures) => figures.hub === hub);
  if (found) return found;
  throw new TaskHubError('TASK_HUB_NOT_FOUND', `Task hub not found: ${hub}`);
}

function scaleJson(
  figures: HubFigures,
  { workers, min, max, windowSeconds }: ScaleQuery,
): ScaleJson {
  const { hub, at, kinds, connectedWorkers, samples } = figures;
  const decision = decideScale(samples, {
    ...{ min, max, now: at, windowMs: windowSeconds * 1000 },
    workers: workers ?? connectedWorkers,
  });
  return {
    ...{ hub, ...decision, connectedWorkers, asOf: iso(at) },
    kinds: {
      orchestration: kindJson(kinds.orchestration),
      activity: kindJson(kinds.activity),
      entity: kindJson(kinds.entity),
    },
  };
}

function kindJson({ pending, active, parked, oldestAgeMs, perWorker }: KindFigures) {
  return { pending, active, parked, perWorker, oldestAgeSeconds: (oldestAgeMs ?? 0) / 1000 };
}
