/* eslint-disable @typescript-eslint/no-deprecated -- the fields are deprecated for clients; servers must still read them */
/** Completions that arrive in parts: .NET and Java still cut large ones (wire-protocol 5.4). */
import { invalidArgument } from '../core/errors.ts';
import type { OrchestratorResponse } from '../proto/orchestrator_service_pb.ts';

/** Parts of one completion; at 3.9 MB each this is about 1 GB, which no worker sends by intention. */
const PARTS_MAX = 256;

export function isPart(response: OrchestratorResponse): boolean {
  return response.isPartial;
}

export class Chunks {
  readonly #parts = new Map<string, Map<number, OrchestratorResponse>>();

  /** Keeps a part; the same index again replaces it (a retry). */
  add(response: OrchestratorResponse): void {
    const { completionToken: token } = response;
    const parts = this.#parts.get(token) ?? new Map<number, OrchestratorResponse>();
    if (parts.size >= PARTS_MAX) {
      throw invalidArgument(`the completion has more than ${PARTS_MAX} chunks; send larger ones`);
    }
    parts.set(response.chunkIndex ?? 0, response);
    this.#parts.set(token, parts);
  }

  /** The whole completion, now that its last part is here. The first part's scalar fields count. */
  join(last: OrchestratorResponse): OrchestratorResponse {
    const parts = this.#parts.get(last.completionToken);
    if (!parts) return last;
    this.#parts.delete(last.completionToken);
    parts.set(last.chunkIndex ?? parts.size, last);
    const ordered = [...parts].sort(([a], [b]) => a - b).map(([, part]) => part);
    const first = ordered[0] ?? last;
    return {
      ...first,
      actions: ordered.flatMap(({ actions }) => actions),
      isPartial: false,
    };
  }

  /** The token is settled or its stream is gone: the parts are of no use. */
  drop(token: string): void {
    this.#parts.delete(token);
  }
}
