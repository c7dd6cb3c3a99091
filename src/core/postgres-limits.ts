/** What a scheduler asks of PostgreSQL at most: connections and patience. An operator may set each. */
export interface PostgresLimits {
  /** Rounds under way at once, each on a connection of its own. */
  readonly rounds: number;
  /** Connections for what clients read. */
  readonly readers: number;
  /** How long to wait for one connection, in ms. */
  readonly connectMs: number;
  /** How long a statement may take, in ms (`statement_timeout`). */
  readonly statementMs: number;
  /** How long a statement may wait for a lock, in ms (`lock_timeout`). */
  readonly lockMs: number;
  /** How long callers wait for a server that is away, in ms. */
  readonly patienceMs: number;
}

export type PostgresLimit = keyof PostgresLimits;

export const DEFAULT_POSTGRES_LIMITS: PostgresLimits = {
  rounds: 4,
  readers: 4,
  connectMs: 5000,
  statementMs: 30_000,
  lockMs: 10_000,
  patienceMs: 15_000,
};

/** Rounds under way at once: as many rows as a node has in `lanes`. */
export const POSTGRES_ROUNDS_MAX = 8;

/** Smallest and largest value of each. */
export const POSTGRES_LIMIT_BOUNDS: Readonly<Record<PostgresLimit, readonly [number, number]>> = {
  rounds: [1, POSTGRES_ROUNDS_MAX],
  readers: [1, 100],
  connectMs: [100, 120_000],
  statementMs: [1000, 3_600_000],
  lockMs: [100, 600_000],
  patienceMs: [0, 600_000],
};
