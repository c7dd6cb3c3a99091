/** What can be done to one orchestration. */
import { create } from '@bufbuild/protobuf';
import { z } from 'zod';
import { TaskHubError } from '../../../core/errors.ts';
import { optional } from '../../../core/optional.ts';
import {
  PurgeInstancesRequestSchema,
  RaiseEventRequestSchema,
  RestartInstanceRequestSchema,
  ResumeRequestSchema,
  RewindInstanceRequestSchema,
  SkipGracefulOrchestrationTerminationsRequestSchema,
  SuspendRequestSchema,
  TerminateRequestSchema,
} from '../../../proto/orchestrator_service_pb.ts';
import type { HttpAppOptions, HttpRoute } from '../http-app.ts';
import { acceptedSchema } from './contract.ts';
import { api, iso, notFound } from './route.ts';

type Engine = HttpAppOptions['engine'];

export const actionBody = z.strictObject({
  reason: z.string().max(10_000).optional(),
  recursive: z.boolean().default(false).describe('Sub-orchestrations too: terminate, purge'),
  newId: z.boolean().default(false).describe('Restart under a new id'),
});
export type ActionArgs = z.infer<typeof actionBody>;

export const ACTIONS = [
  'suspend',
  'resume',
  'terminate',
  'force-terminate',
  'restart',
  'rewind',
  'purge',
] as const;
export type Action = (typeof ACTIONS)[number];

/** Which instance, and the new id of a restart. */
export interface Acted {
  readonly newId?: string;
}

/** Does it, or throws a `TaskHubError` that says why not. */
export const ACT: Readonly<
  Record<Action, (engine: Engine, at: Target, args: ActionArgs) => Promise<Acted>>
> = {
  suspend: async (engine, { hub, instanceId }, { reason }) => {
    const request = create(SuspendRequestSchema, { instanceId, ...optional('reason', reason) });
    await engine.suspend(hub, request);
    return {};
  },
  resume: async (engine, { hub, instanceId }, { reason }) => {
    const request = create(ResumeRequestSchema, { instanceId, ...optional('reason', reason) });
    await engine.resume(hub, request);
    return {};
  },
  terminate: async (engine, { hub, instanceId }, { reason, recursive }) => {
    const output = reason === undefined ? undefined : JSON.stringify(reason);
    await engine.terminate(
      hub,
      create(TerminateRequestSchema, { instanceId, recursive, ...optional('output', output) }),
    );
    return {};
  },
  'force-terminate': async (engine, { hub, instanceId }, { reason }) => {
    const request = create(SkipGracefulOrchestrationTerminationsRequestSchema, {
      instanceBatch: { instanceIds: [instanceId] },
      ...optional('reason', reason),
    });
    const left = await engine.forceEnd(hub, request);
    if (left.length > 0) throw wrongState(instanceId, 'it has ended already, or does not exist');
    return {};
  },
  restart: async (engine, { hub, instanceId }, { newId }) => {
    const request = create(RestartInstanceRequestSchema, {
      instanceId,
      restartWithNewInstanceId: newId,
    });
    return { newId: await engine.restartInstance(hub, request) };
  },
  rewind: async (engine, { hub, instanceId }, { reason }) => {
    const request = create(RewindInstanceRequestSchema, {
      instanceId,
      ...optional('reason', reason),
    });
    await engine.rewindInstance(hub, request);
    return {};
  },
  purge: async (engine, { hub, instanceId }, { recursive }) => {
    const request = create(PurgeInstancesRequestSchema, {
      request: { case: 'instanceId', value: instanceId },
      recursive,
      isOrchestration: true,
    });
    const { deleted } = await engine.purgeInstances(hub, request);
    if (deleted === 0) throw notFound(instanceId);
    return {};
  },
};

export interface Target {
  readonly hub: string;
  readonly instanceId: string;
}

function wrongState(instanceId: string, why: string): TaskHubError {
  return new TaskHubError('WRONG_STATE', `Instance '${instanceId}' was left alone: ${why}.`);
}

const BASE = '/hubs/:hub/orchestrations/:id';
const SUMMARIES: Readonly<Record<Action, string>> = {
  suspend: 'Suspends it at its next turn',
  resume: 'Resumes it',
  terminate: 'Terminates it at its next turn',
  'force-terminate': 'Ends its record at once, without its code',
  restart: 'Starts it again with the input it had',
  rewind: 'Runs a failed one again from where it failed',
  purge: 'Deletes one that has ended',
};

export const ACTION_ROUTES: readonly HttpRoute[] = [
  ...ACTIONS.map((action) =>
    api({
      method: 'POST' as const,
      path: `${BASE}/${action}`,
      permission: 'write' as const,
      summary: SUMMARIES[action],
      body: actionBody,
      answer: acceptedSchema,
      status: 202,
      handle: async ({ engine, hub, instanceId, body, context, options }) => {
        const { newId } = await ACT[action](engine, { hub, instanceId }, body);
        const acceptedAt = iso(options.clock.now());
        return context.json({ acceptedAt, ...optional('id', newId) }, 202);
      },
    }),
  ),
  api({
    method: 'POST',
    path: `${BASE}/raise-event`,
    permission: 'write',
    summary: 'Delivers an event to its inbox',
    body: z.strictObject({
      name: z.string().min(1),
      data: z.string().optional().describe('JSON text'),
    }),
    answer: acceptedSchema,
    status: 202,
    handle: async ({ engine, hub, instanceId, body, context, options }) => {
      const request = create(RaiseEventRequestSchema, {
        instanceId,
        name: body.name,
        ...optional('input', body.data),
      });
      await engine.raiseEvent(hub, request);
      return context.json({ acceptedAt: iso(options.clock.now()) }, 202);
    },
  }),
];
