/** What a load generator counts and says, one line of JSON a second. */
export interface LoadLine {
  /** Starts that were sent. */
  readonly offered: number;
  /** Starts that could not be sent because too many were unanswered. */
  readonly withheld: number;
  readonly accepted: number;
  /** Refused by code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly isOver: boolean;
}

export const NO_LOAD: LoadLine = {
  ...{ offered: 0, withheld: 0, accepted: 0, refused: {}, isOver: false },
};

export const idOf = (n: number): string => `load-${n}`;
