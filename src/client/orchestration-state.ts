import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import type { OrchestrationState as WireState } from '../proto/orchestrator_service_pb.ts';
import { OrchestrationStatus } from '../proto/orchestrator_service_pb.ts';
import { decodeFailureDetails, FailureDetails } from './failure-details.ts';

/** Thrown by `OrchestrationState.raiseIfFailed()`. */
export class OrchestrationFailedError extends Error {
  override readonly name = 'OrchestrationFailedError';
  readonly failureDetails: FailureDetails;

  constructor(message: string, failureDetails: FailureDetails) {
    super(message);
    this.failureDetails = failureDetails;
  }
}

/** What a scheduler says of one orchestration instance at one moment. */
export class OrchestrationState {
  readonly instanceId: string;
  readonly name: string;
  /** `undefined` for an unversioned orchestration. */
  readonly version: string | undefined;
  readonly runtimeStatus: OrchestrationStatus;
  readonly createdAt: Date;
  readonly lastUpdatedAt: Date;
  /** Set when the instance has ended. */
  readonly completedAt: Date | undefined;
  readonly scheduledStartAt: Date | undefined;
  readonly executionId: string | undefined;
  readonly parentInstanceId: string | undefined;
  /** JSON text; `undefined` without a value, and when payloads were not asked for. */
  readonly serializedInput: string | undefined;
  readonly serializedOutput: string | undefined;
  readonly serializedCustomStatus: string | undefined;
  readonly failureDetails: FailureDetails | undefined;
  readonly tags: Readonly<Record<string, string>>;

  constructor(wire: WireState) {
    this.instanceId = wire.instanceId;
    this.name = wire.name;
    this.version = wire.version;
    this.runtimeStatus = wire.orchestrationStatus;
    this.createdAt = dateOf(wire.createdTimestamp) ?? new Date(0);
    this.lastUpdatedAt = dateOf(wire.lastUpdatedTimestamp) ?? this.createdAt;
    this.completedAt = dateOf(wire.completedTimestamp);
    this.scheduledStartAt = dateOf(wire.scheduledStartTimestamp);
    this.executionId = wire.executionId;
    this.parentInstanceId = wire.parentInstanceId;
    this.serializedInput = wire.input;
    this.serializedOutput = wire.output;
    this.serializedCustomStatus = wire.customStatus;
    this.failureDetails =
      wire.failureDetails === undefined ? undefined : decodeFailureDetails(wire.failureDetails);
    this.tags = wire.tags;
  }

  /**
   * Returns when the orchestration has not failed.
   *
   * @throws OrchestrationFailedError with the failure details, also when they were not fetched.
   */
  raiseIfFailed(): void {
    const hasFailed = this.runtimeStatus === OrchestrationStatus.FAILED;
    if (this.failureDetails === undefined && !hasFailed) return;
    const details = this.failureDetails ?? new FailureDetails('Unknown error', 'UnknownError');
    throw new OrchestrationFailedError(
      `Orchestration '${this.instanceId}' failed: ${details.message}`,
      details,
    );
  }
}

/** Unset and epoch 0 both mean "no time" on this wire. */
function dateOf(timestamp: Timestamp | undefined): Date | undefined {
  if (timestamp === undefined || (timestamp.seconds === 0n && timestamp.nanos === 0)) {
    return undefined;
  }
  return timestampDate(timestamp);
}
