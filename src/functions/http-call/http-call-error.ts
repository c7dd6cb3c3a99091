/** Why a request of `callHttp` has no answer, in the words that the orchestrator catches. */
export class HttpCallError extends Error {
  override readonly name = 'HttpRequestException';
  /** True when sending it again cannot help. */
  readonly isNonRetriable: boolean;

  constructor(message: string, options: { readonly isFinal?: boolean; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.isNonRetriable = options.isFinal ?? false;
  }
}
