import { create, toJson } from '@bufbuild/protobuf';
import { ValueSchema } from '@bufbuild/protobuf/wkt';
import { TaskFailureDetailsSchema } from '../proto/orchestrator_service_pb.ts';
import type { TaskFailureDetails } from '../proto/orchestrator_service_pb.ts';

/** A failure as user code sees it; the same shape as `FailureDetails` of durable-functions. */
export interface FailureDetails {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly stackTrace?: string;
  readonly isNonRetriable: boolean;
  readonly properties?: Record<string, unknown>;
  readonly innerFailure?: FailureDetails;
  /** True when this failure or one in its `innerFailure` chain has the given error type. */
  isCausedBy(errorType: string): boolean;
}

/** What `OrchestratorOptions.createFailure` gets to build the error that user code catches. */
export interface TaskFailureInfo {
  readonly kind: 'activity' | 'subOrchestration';
  readonly taskName: string;
  /** The action id of the attempt that failed. */
  readonly taskId: number;
  readonly details: FailureDetails;
}

/** How far a chain of causes is followed; also ends chains that bite their own tail. */
const CAUSE_DEPTH_MAX = 10;

/** Failures behind the errors that the engine threw into user code, so that rethrowing loses nothing. */
const originals = new WeakMap<Error, TaskFailureDetails>();

/** Remembers the failure that `error` stands for; it becomes `innerFailure` if the error escapes. */
export function rememberFailure(error: Error, details: TaskFailureDetails): void {
  originals.set(error, details);
}

/** The failure of a task as plain data; details that a worker left out read as an unknown error. */
export function toFailureDetails(source: TaskFailureDetails | undefined): FailureDetails {
  const details: FailureDetails = {
    errorType:
      source?.errorType === undefined || source.errorType === '' ? 'Error' : source.errorType,
    errorMessage: source?.errorMessage ?? 'Unknown error',
    isNonRetriable: source?.isNonRetriable ?? false,
    ...(source?.stackTrace === undefined ? {} : { stackTrace: source.stackTrace }),
    ...propertiesOf(source),
    ...(source?.innerFailure === undefined
      ? {}
      : { innerFailure: toFailureDetails(source.innerFailure) }),
    isCausedBy: (errorType) =>
      details.errorType === errorType || (details.innerFailure?.isCausedBy(errorType) ?? false),
  };
  return details;
}

/** Failure details for the wire from whatever user code threw. */
export function failureFromError(thrown: unknown): TaskFailureDetails {
  return describeThrown(thrown, 0);
}

function propertiesOf(source: TaskFailureDetails | undefined): {
  properties?: Record<string, unknown>;
} {
  const entries = Object.entries(source?.properties ?? {});
  if (entries.length === 0) return {};
  return {
    properties: Object.fromEntries(
      entries.map(([key, value]) => [key, toJson(ValueSchema, value)]),
    ),
  };
}

function describeThrown(thrown: unknown, depth: number): TaskFailureDetails {
  if (!(thrown instanceof Error)) {
    return create(TaskFailureDetailsSchema, { errorType: 'Error', errorMessage: textOf(thrown) });
  }
  const innerFailure = innerFailureOf(thrown, depth);
  return create(TaskFailureDetailsSchema, {
    errorType: thrown.name === '' ? thrown.constructor.name : thrown.name,
    errorMessage: thrown.message,
    ...(thrown.stack === undefined ? {} : { stackTrace: thrown.stack }),
    ...(innerFailure === undefined ? {} : { innerFailure }),
    isNonRetriable: 'isNonRetriable' in thrown && thrown.isNonRetriable === true,
  });
}

function innerFailureOf(error: Error, depth: number): TaskFailureDetails | undefined {
  const original = originals.get(error);
  if (original !== undefined) return original;
  const cause: unknown =
    error.cause ?? (error instanceof AggregateError ? error.errors[0] : undefined);
  if (cause === undefined || cause === null || depth + 1 >= CAUSE_DEPTH_MAX) return undefined;
  return describeThrown(cause, depth + 1);
}

function textOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown);
  try {
    return JSON.stringify(thrown);
  } catch {
    // Circular or hostile objects still need some text; their tag is all that is safe to take.
    return Object.prototype.toString.call(thrown);
  }
}
