/* eslint-disable @typescript-eslint/no-deprecated -- the fields are deprecated for clients; servers must still read them */
/** Completions that arrive in parts: .NET and Java still cut large ones (wire-protocol 5.4). */
import { invalidArgument } from '../core/errors.ts';
import type { OrchestratorResponse } from '../proto/orchestrator_service_pb.ts';

/** Parts of one completion; at 3.9 MB each this is about 1 GB, which no worker sends by intention. */
const PARTS_MAX = 256;

/** Completions whose parts are kept at a time; the oldest gives way and its item is handed out again. */
const COMPLETIONS_MAX = 1000;

export function isPart(response: OrchestratorResponse): boolean {
  return response.isPartial;
}

export class Chunks {
  readonly #parts = new Map<string, Map<number, OrchestratorResponse>>();

  /** Keeps a part; the same index again replaces it (a retry). */
  add(response: OrchestratorResponse): void {
    const { completionToken: token } = response;
    const parts = this.#parts.get(token) ?? new Map<number, OrchestratorResponse>();
    const index = response.chunkIndex ?? 0;
    if (parts.size >= PARTS_MAX && !parts.has(index)) {
      throw invalidArgument(`the completion has more than ${PARTS_MAX} chunks; send larger ones`);
    }
    parts.set(index, response);
    this.#parts.set(token, parts);
    if (this.#parts.size > COMPLETIONS_MAX) this.#dropOldest();
  }

  #dropOldest(): void {
    for (const token of this.#parts.keys()) {
      this.#parts.delete(token);
      return;
    }
  }

  /**
   * The whole completion, now that its last part is here; `undefined` when one is missing, since half a turn must
   * not be committed. The first part's scalar fields count. The parts stay until `drop`: the last may come again.
   */
  join(last: OrchestratorResponse): OrchestratorResponse | undefined {
    const parts = this.#parts.get(last.completionToken);
    const lastIndex = last.chunkIndex ?? parts?.size ?? 0;
    const ordered: OrchestratorResponse[] = [];
    for (let index = 0; index < lastIndex; index += 1) {
      const part = parts?.get(index);
      if (!part) return undefined;
      ordered.push(part);
    }
    ordered.push(last);
    const [first = last] = ordered;
    return { ...first, actions: ordered.flatMap(({ actions }) => actions), isPartial: false };
  }

  /** The token is settled or its stream is gone: the parts are of no use. */
  drop(token: string): void {
    this.#parts.delete(token);
  }
}
