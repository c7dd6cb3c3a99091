import type { HostJson } from '../config/host-json.ts';
import { readLogFilter } from '../config/log-filter.ts';
import type { CoreLogLevel } from './core-types.ts';

/** Writes lines of the host and of the app's functions, filtered as host.json says. */
export interface HostLog {
  /** `category` as in the host: `Host.Startup`, `Function.Hello`, `Function.Hello.User`. */
  write(level: CoreLogLevel, category: string, message: string): void;
}

export interface HostLogOptions {
  readonly hostJson: HostJson;
  readonly now: () => number;
  readonly output: (line: string) => void;
}

const LOUD: readonly CoreLogLevel[] = ['warning', 'error', 'critical', 'none'];

/** A log that honours `logging.logLevel` of host.json. */
export function createHostLog({ hostJson, now, output }: HostLogOptions): HostLog {
  const filter = readLogFilter(hostJson);
  return {
    write(level, category, message) {
      if (!filter(level, category)) return;
      const time = new Date(now()).toISOString();
      const mark = LOUD.includes(level) ? `${level}: ` : '';
      output(`[${time}] ${mark}${message}`);
    },
  };
}
