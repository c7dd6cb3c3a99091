import { toBinary } from '@bufbuild/protobuf';
import type { OrchestratorAction } from '../proto/orchestrator_service_pb.ts';
import { OrchestratorActionSchema } from '../proto/orchestrator_service_pb.ts';

/** What an action takes besides its texts: names of fields, ids, times, trace context. */
const ACTION_OVERHEAD_BYTES = 400;
/** Tag and length in front of an action within a response. */
const FRAMING_BYTES = 8;

/**
 * Cuts a turn's actions into messages of at most `bytesMax`, in order: one, nearly always. An
 * action that is larger by itself gets a message of its own.
 */
export function chunkActions(
  actions: readonly OrchestratorAction[],
  bytesMax: number,
): readonly (readonly OrchestratorAction[])[] {
  if (boundBytes(actions) <= bytesMax) return [actions];
  const chunks: OrchestratorAction[][] = [];
  let chunk: OrchestratorAction[] = [];
  let chunkBytes = 0;
  for (const action of actions) {
    const bytes = toBinary(OrchestratorActionSchema, action).byteLength + FRAMING_BYTES;
    if (chunk.length > 0 && chunkBytes + bytes > bytesMax) {
      chunks.push(chunk);
      chunk = [];
      chunkBytes = 0;
    }
    chunk.push(action);
    chunkBytes += bytes;
  }
  chunks.push(chunk);
  return chunks;
}

/** An upper bound without encoding anything; most turns are far below the limit. */
function boundBytes(actions: readonly OrchestratorAction[]): number {
  let bytes = 0;
  for (const { orchestratorActionType } of actions) {
    bytes += ACTION_OVERHEAD_BYTES;
    for (const value of Object.values(orchestratorActionType.value ?? {}) as unknown[]) {
      // A UTF-16 unit takes three bytes at most.
      if (typeof value === 'string') bytes += value.length * 3;
      else if (typeof value === 'object') bytes += boundNested(value);
    }
  }
  return bytes;
}

/** Tags, failures and carried-over events are measured only if there are any. */
function boundNested(value: object | null): number {
  if (value === null) return 0;
  const isEmpty = Object.keys(value).length === 0;
  const isTime = 'seconds' in value;
  return isEmpty || isTime ? 0 : Infinity;
}
