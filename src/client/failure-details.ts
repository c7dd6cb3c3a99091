import type { JsonValue } from '@bufbuild/protobuf';
import { toJson } from '@bufbuild/protobuf';
import { ValueSchema } from '@bufbuild/protobuf/wkt';
import type { TaskFailureDetails } from '../proto/orchestrator_service_pb.ts';

/** Why an activity, a sub-orchestration or an orchestration failed. */
export class FailureDetails {
  /** Name of the error class, as its language calls it. */
  readonly errorType: string;
  readonly message: string;
  readonly stackTrace: string | undefined;
  /** What caused it. */
  readonly innerFailure: FailureDetails | undefined;
  /** True when the failing code said that trying again cannot help. */
  readonly isNonRetriable: boolean;
  /** Further facts that the failing code attached. */
  readonly properties: Readonly<Record<string, JsonValue>>;

  constructor(message: string, errorType: string, more: FailureDetailsOptions = {}) {
    this.message = message;
    this.errorType = errorType;
    this.stackTrace = more.stackTrace;
    this.innerFailure = more.innerFailure;
    this.isNonRetriable = more.isNonRetriable ?? false;
    this.properties = more.properties ?? {};
  }
}

export interface FailureDetailsOptions {
  readonly stackTrace?: string | undefined;
  readonly innerFailure?: FailureDetails | undefined;
  readonly isNonRetriable?: boolean | undefined;
  readonly properties?: Readonly<Record<string, JsonValue>> | undefined;
}

/** Reads the wire form, the whole chain of inner failures included. */
export function decodeFailureDetails(wire: TaskFailureDetails): FailureDetails {
  return new FailureDetails(wire.errorMessage, wire.errorType, {
    stackTrace: wire.stackTrace,
    innerFailure:
      wire.innerFailure === undefined ? undefined : decodeFailureDetails(wire.innerFailure),
    isNonRetriable: wire.isNonRetriable,
    properties: Object.fromEntries(
      Object.entries(wire.properties).map(([name, value]) => [name, toJson(ValueSchema, value)]),
    ),
  });
}
