/** `durabletask instance history` and `waiting`: what happened to an orchestration, and what it waits for. */
import type { Command } from 'commander';
import { apiCommand, type ApiRun, type CommandHost } from './api-command.ts';
import { addInstanceFlags, instancePath, type InstanceFlags } from './instance-path.ts';
import { table } from './table.ts';

interface HistoryFlags extends InstanceFlags {
  readonly full?: true;
}

interface Event {
  readonly position: number;
  readonly kind: string;
  readonly eventId: number;
  readonly at?: string;
  readonly name?: string;
  readonly scheduledId?: number;
  readonly target?: string;
  readonly fireAt?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly failure?: { readonly type: string; readonly message: string };
  readonly payloads?: Readonly<
    Record<string, { readonly bytes: number; readonly preview?: string }>
  >;
}

interface Waiting {
  readonly status: string;
  readonly items: readonly {
    readonly code: string;
    readonly class: string;
    readonly kind?: string;
    readonly name?: string;
    readonly since?: string;
    readonly dueAt?: string;
    readonly childId?: string;
    readonly worker?: string;
    readonly closest?: string;
  }[];
}

const PAGE = 500;

export function addInstanceHistory(group: Command, host: CommandHost): void {
  apiCommand<HistoryFlags>(
    addInstanceFlags(
      group
        .command('history')
        .alias('get-history')
        .description('Show the events of the current execution'),
    ).option('--full', 'As one JSON array with all payloads, in the wire format’s JSON'),
    host,
    history,
  );
  apiCommand<InstanceFlags>(
    addInstanceFlags(
      group.command('waiting').description('Show what it waits for, and who could take it'),
    ),
    host,
    waiting,
  );
}

async function history(run: ApiRun<HistoryFlags>): Promise<undefined> {
  const { call, flags, context } = run;
  const path = `${instancePath(run)}/history`;
  if (flags.full) {
    const text = await call({ method: 'GET', path: `${path}.json`, isText: true });
    context.stdout(String(text).trimEnd());
    return;
  }
  const rows: (readonly string[])[] = [];
  let after: string | undefined;
  do {
    const query = new URLSearchParams({ limit: String(PAGE), payload: 'summary' });
    if (after !== undefined) query.set('after', after);
    const page = (await call({ method: 'GET', path: `${path}?${query.toString()}` })) as {
      items: Event[];
      next?: string;
    };
    for (const event of page.items) {
      if (flags.json) context.stdout(JSON.stringify(event));
      else rows.push(rowOf(event));
    }
    after = page.next;
  } while (after !== undefined && !context.stop.aborted);
  if (flags.json) return;
  context.stdout(
    rows.length === 0
      ? 'Nothing has happened yet; instance waiting says what it waits for.'
      : table(['#', 'Time', 'Event', 'Id', 'Name', 'Details'], rows),
  );
}

function rowOf(event: Event): readonly string[] {
  const { position, at = '', kind, eventId, name = '', failure, payloads = {} } = event;
  const details = [
    event.scheduledId === undefined ? undefined : `of ${event.scheduledId}`,
    event.target,
    event.fireAt && `at ${event.fireAt}`,
    event.status,
    event.reason,
    failure && `${failure.type}: ${failure.message}`,
    ...Object.entries(payloads).map(
      ([part, { bytes, preview }]) => `${part}=${preview ?? `${bytes} bytes`}`,
    ),
  ].filter((each) => each !== undefined && each !== '');
  return [String(position), at, kind, eventId < 0 ? '' : String(eventId), name, details.join(' ')];
}

async function waiting(run: ApiRun<InstanceFlags>): Promise<undefined> {
  const { call, flags, context } = run;
  const path = `${instancePath(run)}/waiting`;
  const report = (await call({ method: 'GET', path })) as Waiting;
  if (flags.json) {
    context.stdout(JSON.stringify(report));
    return;
  }
  const rows = report.items.map((item) => [
    item.class === 'problem' ? `! ${item.code}` : item.code,
    item.kind ?? '',
    item.name ?? item.childId ?? '',
    item.dueAt ?? item.since ?? '',
    item.worker ?? (item.closest === undefined ? '' : `did you mean '${item.closest}'?`),
  ]);
  context.stdout(
    rows.length === 0
      ? `It is ${report.status} and waits for nothing.`
      : table(['Why', 'Kind', 'Name', 'Since or due', 'Worker'], rows),
  );
}
