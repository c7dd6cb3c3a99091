import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { invalidArgument } from '../../core/errors.ts';
import type { EntityMetadata } from '../../client/entity-query.ts';
import { toSeconds } from '../instance-status.ts';
import { firstPage, TOKEN_HEADER } from './collection.ts';
import type { ManagementOptions } from './options.ts';
import { isJsonType, parseJson, readDate, readFlag, readTop } from './parameters.ts';

/** How an entity is meant in a path. */
export interface EntityPath {
  readonly name: string;
  /** `$` stands for the empty key. */
  readonly key: string;
}

/** The state of an entity as JSON, or 404. */
export async function answerEntity(
  entity: EntityPath,
  { client }: ManagementOptions,
): Promise<HttpResponseInit> {
  const found = await client.getEntity(idOf(entity));
  return found?.includesState === true ? { status: 200, jsonBody: found.state } : { status: 404 };
}

/** One page of entities; the header says where the next begins, and is left out on the last. */
export async function answerEntities(
  name: string | undefined,
  request: HttpRequest,
  { client }: ManagementOptions,
): Promise<HttpResponseInit> {
  const fetchState = readFlag(request, 'fetchState', false);
  const pageable = client.getEntities({
    instanceIdStartsWith: name === undefined ? undefined : `${name}@`,
    lastModifiedFrom: readDate(request, 'lastOperationTimeFrom'),
    lastModifiedTo: readDate(request, 'lastOperationTimeTo'),
    includeState: fetchState,
    pageSize: readTop(request),
    continuationToken: request.headers.get(TOKEN_HEADER) ?? undefined,
  });
  const page = await firstPage(pageable);
  const token = page?.continuationToken;
  return {
    status: 200,
    ...(token !== undefined && { headers: { [TOKEN_HEADER]: token } }),
    jsonBody: (page?.values ?? []).map(toBody),
  };
}

/** Signals an operation, named by `op`; the body is its input: JSON, or any other text as a string. */
export async function answerSignal(
  entity: EntityPath,
  request: HttpRequest,
  { client }: ManagementOptions,
): Promise<HttpResponseInit> {
  const operation = request.query.get('op') ?? '';
  // The .NET extension passes an empty name on; the scheduler takes none.
  if (operation === '') throw invalidArgument("Please provide value for 'op' parameter.");
  await client.signalEntity(idOf(entity), operation, await readInput(request));
  return { status: 202 };
}

/** Signals the operation `delete`. */
export async function answerDelete(
  entity: EntityPath,
  { client }: ManagementOptions,
): Promise<HttpResponseInit> {
  await client.signalEntity(idOf(entity), 'delete');
  return { status: 202 };
}

function idOf({ name, key }: EntityPath): EntityPath {
  return { name, key: key === '$' ? '' : key };
}

function toBody(entity: EntityMetadata): object {
  const { id, lastModifiedTime } = entity;
  return {
    entityId: { name: id.name, key: id.key },
    lastOperationTime: toSeconds(lastModifiedTime),
    ...(entity.includesState && { state: entity.state }),
  };
}

async function readInput(request: HttpRequest): Promise<unknown> {
  const text = await request.text();
  if (text.trim() === '') return undefined;
  return isJsonType(request) ? parseJson(text) : text;
}
