const MARK = Symbol('durabletask-scheduler.terminateOptions');

/** Marked, so that an output that happens to look like options is still an output. */
export type TerminateInstanceOptions = {
  readonly [MARK]: true;
  /** What the terminated orchestration's output shall be. */
  readonly output?: unknown;
  /** Terminates sub-orchestrations too. Default false. */
  readonly recursive?: boolean;
};

/** Options for `TaskHubClient.terminateOrchestration`. */
export function terminateOptions(
  options: Omit<TerminateInstanceOptions, typeof MARK>,
): TerminateInstanceOptions {
  return { ...options, [MARK]: true };
}

/** The output and whether to recurse, from either form of the argument. */
export function readTerminateOptions(outputOrOptions: unknown): {
  readonly output: unknown;
  readonly recursive: boolean;
} {
  if (!isTerminateOptions(outputOrOptions)) return { output: outputOrOptions, recursive: false };
  return { output: outputOrOptions.output, recursive: outputOrOptions.recursive ?? false };
}

function isTerminateOptions(value: unknown): value is TerminateInstanceOptions {
  return typeof value === 'object' && value !== null && MARK in value;
}
