/** What a command may use of the process it runs in. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Results, one line each. */
  readonly stdout: (line: string) => void;
  /** Log lines and failures. */
  readonly stderr: (line: string) => void;
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly stop: AbortSignal;
}

/** The contract with scripts: what an exit code says. */
export const EXIT = { ok: 0, failed: 1, wrongUsage: 2 } as const;
