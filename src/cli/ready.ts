/** What is served, and where. */
export interface Ready {
  readonly grpc: string;
  /** Unknown when somebody else's scheduler is used. */
  readonly http?: string | undefined;
  /** `dev` only. */
  readonly functions?: string | undefined;
  readonly taskHubs: readonly string[];
}

/** The line that scripts wait for; its keys and their order are fixed (docs: command line). */
export function readyLine({ grpc, http, functions, taskHubs }: Ready): string {
  return JSON.stringify({ event: 'ready', grpc, http, functions, taskHubs });
}

/** A title and aligned rows for people. */
export function summary(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
  return ['', title, '', ...lines, '', 'Press Ctrl+C to stop.', ''].join('\n');
}

/** Where state is kept, without a password that the address may hold. */
export function describeStorage(storage: string): string {
  if (storage === 'memory') return 'memory (gone when the scheduler stops)';
  return storage.replace(/^(\w+:\/\/[^:/@]*):[^@]*@/, '$1:***@');
}
