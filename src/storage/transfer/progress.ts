/** Where a transfer is. Files are checked before they are imported, and what was stored is read again afterwards. */
export interface TransferStep {
  readonly phase: 'export' | 'check' | 'import' | 'verify';
  readonly rows: number;
  readonly rowsTotal: number;
}

/** Called after every batch. */
export type TransferProgress = (step: TransferStep) => void;
