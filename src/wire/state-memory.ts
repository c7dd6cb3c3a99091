/**
 * What our scheduler and our worker agree on, so that the state of an entity need not travel to a worker that
 * has it in memory. The protocol has words for the miss only (`requiresState`), so the rest is in fields that it does
 * not use: sent to workers that keep things in memory, answered by them, skipped by everybody else.
 */
import type { EntityBatchResult, EntityRequest } from '../proto/orchestrator_service_pb.ts';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { lengthDelimited, utf8, type Field } from './bytes.ts';

/** The states before and after a batch, by name. A name stands for one text and is never used for another. */
export interface StateMemory {
  /** Of the state that the batch leaves, if it is committed. */
  readonly next: string;
  /** Of the state that is left out because the worker has it; `undefined`: nothing is left out. */
  readonly leftOut: string | undefined;
}

/** In EntityRequest. */
const NEXT = 1000;
const LEFT_OUT = 1001;
/** In EntityBatchResult: a bool. */
const KEPT = 1000;

/** The fields of an encoded `EntityRequest`. */
export function stateMemoryFields({ next, leftOut }: StateMemory): readonly Field[] {
  const name = { tag: lengthDelimited(NEXT), bytes: utf8(next) };
  if (leftOut === undefined) return [name];
  return [name, { tag: lengthDelimited(LEFT_OUT), bytes: utf8(leftOut) }];
}

/** `undefined` from a scheduler that does not know of it. */
export function stateMemoryOf({ $unknown = [] }: EntityRequest): StateMemory | undefined {
  const text = (number: number): string | undefined => {
    const field = $unknown.find(({ no }) => no === number);
    return field && new BinaryReader(field.data).string();
  };
  const next = text(NEXT);
  return next === undefined ? undefined : { next, leftOut: text(LEFT_OUT) };
}

/** Lets a result say that its worker keeps the state that it holds. */
export function declareStateKept(result: EntityBatchResult): EntityBatchResult {
  const data = new BinaryWriter().bool(true).finish();
  result.$unknown = [{ no: KEPT, wireType: WireType.Varint, data }];
  return result;
}

/** Whether the worker has in memory what the result left; a worker of another kind never says so. */
export function isStateKept({ $unknown = [] }: EntityBatchResult): boolean {
  return $unknown.some(({ no }) => no === KEPT);
}
