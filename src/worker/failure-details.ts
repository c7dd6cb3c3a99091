import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { create, fromJson } from '@bufbuild/protobuf';
import type { Value } from '@bufbuild/protobuf/wkt';
import { ValueSchema } from '@bufbuild/protobuf/wkt';
import type { TaskFailureDetails } from '../proto/orchestrator_service_pb.ts';
import { TaskFailureDetailsSchema } from '../proto/orchestrator_service_pb.ts';
import { failureFromError } from '../replay/failure.ts';

/**
 * The wire form of whatever an activity threw: type, message, stack, the chain of causes, and
 * what the error itself says in `isNonRetriable` and `properties` (a record of JSON values; one
 * that JSON cannot hold is left out, since the failure matters more than its ornaments).
 */
export function encodeFailure(thrown: unknown): TaskFailureDetails {
  const failure = failureFromError(thrown);
  if (thrown instanceof Error && 'properties' in thrown) {
    failure.properties = encodeProperties(thrown.properties);
  }
  return failure;
}

/** A failure that the worker itself states: no stack, and trying again cannot help. */
export function permanentFailure(errorType: string, errorMessage: string): TaskFailureDetails {
  return create(TaskFailureDetailsSchema, { errorType, errorMessage, isNonRetriable: true });
}

function encodeProperties(properties: unknown): Record<string, Value> {
  const json = plainJson(properties);
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, fromJson(ValueSchema, value)]),
  );
}

function plainJson(properties: unknown): JsonObject {
  try {
    const copy = JSON.parse(JSON.stringify(properties)) as JsonValue;
    return typeof copy === 'object' && copy !== null && !Array.isArray(copy) ? copy : {};
  } catch {
    // Cycles and bigints: the failure itself is still worth reporting.
    return {};
  }
}
