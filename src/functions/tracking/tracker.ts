import type { Clock } from '../../base/clock.ts';
import { PACKAGE_VERSION } from '../../client/user-agent.ts';
import type { AppSettings } from '../../config/host-json.ts';
import type { LogFilter } from '../../config/log-filter.ts';
import type { WriteLogRecord } from '../../telemetry/log-records.ts';
import type { RemoteSpan } from '../../telemetry/trace-context.ts';

/** The category that existing queries ask for. */
export const TRACKING_CATEGORY = 'Host.Triggers.DurableTask';

export type FunctionType = 'Orchestrator' | 'Activity' | 'Entity';

export type TrackedState =
  | 'Scheduled'
  | 'Started'
  | 'Awaited'
  | 'Listening'
  | 'ExternalEventRaised'
  | 'Completed'
  | 'Failed';

/** Something that happened to a durable function. */
export interface TrackingEvent {
  readonly instanceId: string;
  readonly functionName: string;
  readonly functionType: FunctionType;
  readonly state: TrackedState;
  /** What happened, in the words of Durable Functions: `scheduled`, `completed`. */
  readonly text: string;
  /** Further fields, by their names without `prop__`; each stands in the text, too. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
  /** Epoch ms; now when it is left out. */
  readonly at?: number | undefined;
  readonly span?: RemoteSpan | undefined;
}

export interface TrackerOptions {
  readonly write: WriteLogRecord;
  readonly clock: Clock;
  readonly taskHub: string;
  readonly env: AppSettings;
  /** `logging.logLevel` of host.json. */
  readonly filter: LogFilter;
}

/**
 * The tracking events of Durable Functions: a line of text for people, and the same in fields (`prop__instanceId`,
 * `prop__state` …) that the queries of its documentation and workbooks made for it use. Payloads appear as their sizes.
 */
export class Tracker {
  readonly #options: TrackerOptions;
  readonly #app: Readonly<Record<string, string>>;
  #sequenceNumber = 0;

  constructor(options: TrackerOptions) {
    const { env, taskHub } = options;
    this.#options = options;
    this.#app = {
      hubName: taskHub,
      appName: env['WEBSITE_SITE_NAME'] ?? '',
      slotName: env['WEBSITE_SLOT_NAME'] ?? '',
      extensionVersion: PACKAGE_VERSION,
    };
  }

  track(event: TrackingEvent): void {
    const { write, clock, filter } = this.#options;
    const { instanceId, functionName, functionType, state, text, at, span } = event;
    const isFailure = state === 'Failed';
    if (!filter(isFailure ? 'error' : 'information', TRACKING_CATEGORY)) return;
    this.#sequenceNumber += 1;
    const told = defined({
      isReplay: 'False',
      ...event.fields,
      state,
      ...this.#app,
      sequenceNumber: String(this.#sequenceNumber),
    });
    const sentence = `${instanceId}: Function '${functionName} (${functionType})' ${text}.`;
    const rest = Object.entries(told).map(([name, value]) => `${capitalised(name)}: ${value}.`);
    write({
      level: isFailure ? 'error' : 'info',
      body: [sentence, ...rest].join(' '),
      at: at ?? clock.now(),
      attributes: {
        Category: TRACKING_CATEGORY,
        LogLevel: isFailure ? 'Error' : 'Information',
        ...prefixed({ instanceId, functionName, functionType, ...told }),
      },
      span,
    });
  }
}

/** What is told of a payload. */
export function sizeOf(payload: string | undefined): string {
  if (payload === undefined || payload === '') return '(null)';
  return `(${Buffer.byteLength(payload)} bytes)`;
}

function defined(fields: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Record<string, string>;
}

function prefixed(fields: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [`prop__${name}`, value]),
  );
}

function capitalised(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
