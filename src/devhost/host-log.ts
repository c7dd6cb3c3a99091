import type { HostJson } from '../config/host-json.ts';
import type { CoreLogLevel } from './core-types.ts';

/** Writes lines of the host and of the app's functions, filtered as host.json says. */
export interface HostLog {
  /** `category` as in the host: `Host.Startup`, `Function.Hello`, `Function.Hello.User`. */
  write(level: CoreLogLevel, category: string, message: string): void;
}

const LEVELS: readonly CoreLogLevel[] = [
  'trace',
  'debug',
  'information',
  'warning',
  'error',
  'critical',
  'none',
];

export interface HostLogOptions {
  readonly hostJson: HostJson;
  readonly now: () => number;
  readonly output: (line: string) => void;
}

/**
 * A log that honours `logging.logLevel` of host.json: the entry whose name is the longest prefix of
 * the category decides, then `default`, then Information.
 */
export function createHostLog({ hostJson, now, output }: HostLogOptions): HostLog {
  const thresholds = readThresholds(hostJson);
  return {
    write(level, category, message) {
      if (LEVELS.indexOf(level) < thresholdOf(category, thresholds)) return;
      const time = new Date(now()).toISOString();
      const mark = LEVELS.indexOf(level) < LEVELS.indexOf('warning') ? '' : `${level}: `;
      output(`[${time}] ${mark}${message}`);
    },
  };
}

function readThresholds(hostJson: HostJson): ReadonlyMap<string, number> {
  const section = hostJson.section('logging.logLevel') ?? {};
  return new Map(
    Object.entries(section).flatMap(([category, level]) => {
      const index = LEVELS.findIndex((each) => each === String(level).toLowerCase());
      return index < 0 ? [] : [[category.toLowerCase(), index]];
    }),
  );
}

function thresholdOf(category: string, thresholds: ReadonlyMap<string, number>): number {
  let prefix = category.toLowerCase();
  for (;;) {
    const found = thresholds.get(prefix);
    if (found !== undefined) return found;
    const dot = prefix.lastIndexOf('.');
    if (dot < 0) return thresholds.get('default') ?? LEVELS.indexOf('information');
    prefix = prefix.slice(0, dot);
  }
}
