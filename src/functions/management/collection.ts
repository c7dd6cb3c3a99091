import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { AsyncPageable, Page } from '../../client/page.ts';
import { invalidArgument } from '../../core/errors.ts';
import { toStatusBody } from '../instance-status.ts';
import type { ManagementOptions } from './options.ts';
import { readDate, readFlag, readStatuses, readTop } from './parameters.ts';

/** In both directions: where the next page begins. */
export const TOKEN_HEADER = 'x-ms-continuation-token';

/** One page of statuses; the header says where the next begins, and is left out on the last. */
export async function answerList(
  request: HttpRequest,
  { client }: ManagementOptions,
): Promise<HttpResponseInit> {
  const showInput = readFlag(request, 'showInput', true);
  const pageable = client.getAllInstances({
    createdFrom: readDate(request, 'createdTimeFrom'),
    createdTo: readDate(request, 'createdTimeTo'),
    statuses: readStatuses(request),
    instanceIdPrefix: request.query.get('instanceIdPrefix') ?? undefined,
    pageSize: readTop(request),
    continuationToken: request.headers.get(TOKEN_HEADER) ?? undefined,
    fetchInputsAndOutputs: true,
  });
  const page = await firstPage(pageable);
  const token = page?.continuationToken;
  return {
    status: 200,
    ...(token !== undefined && { headers: { [TOKEN_HEADER]: token } }),
    jsonBody: (page?.values ?? []).map((state) => toStatusBody(state, { showInput })),
  };
}

/** Deletes one instance that has ended. */
export async function answerPurge(
  instanceId: string,
  { client }: ManagementOptions,
): Promise<HttpResponseInit> {
  const { deletedInstanceCount } = await client.purgeOrchestration(instanceId);
  return purged(deletedInstanceCount);
}

/** Deletes what has ended and matches; without a lower bound of time nothing is deleted. */
export async function answerPurgeMany(
  request: HttpRequest,
  { client, clock }: ManagementOptions,
): Promise<HttpResponseInit> {
  const createdTimeFrom = readDate(request, 'createdTimeFrom');
  if (createdTimeFrom === undefined) {
    throw invalidArgument("Please provide value for 'createdTimeFrom' parameter.");
  }
  const { deletedInstanceCount } = await client.purgeOrchestration({
    createdTimeFrom,
    createdTimeTo: readDate(request, 'createdTimeTo') ?? new Date(clock.now()),
    runtimeStatusList: readStatuses(request),
  });
  return purged(deletedInstanceCount);
}

function purged(instancesDeleted: number): HttpResponseInit {
  return instancesDeleted === 0 ? { status: 404 } : { status: 200, jsonBody: { instancesDeleted } };
}

/** The page that a list begins with. */
export async function firstPage<T>(pageable: AsyncPageable<T>): Promise<Page<T> | undefined> {
  for await (const page of pageable.asPages()) return page;
  return undefined;
}
