import type { Row } from './row.ts';
import { CLIENT_ROWS } from './rows-of-clients.ts';
import { WORKER_ROWS } from './rows-of-workers.ts';

/** Every row of the matrix, in the order of the protocol. */
export const ROWS: readonly Row[] = [...CLIENT_ROWS, ...WORKER_ROWS];
