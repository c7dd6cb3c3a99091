import type { HostJson } from './host-json.ts';

/** Levels of the Functions host, least first. */
const LEVELS = ['trace', 'debug', 'information', 'warning', 'error', 'critical', 'none'] as const;

export type HostLogLevel = (typeof LEVELS)[number];

/** Whether a line of a level and category (`Function.Hello.User`) is to be written. */
export type LogFilter = (level: HostLogLevel, category: string) => boolean;

/**
 * What `logging.logLevel` of host.json lets through: the entry whose name is the longest prefix of the category
 * decides, then `default`, then Information.
 */
export function readLogFilter(hostJson: HostJson): LogFilter {
  const thresholds = readThresholds(hostJson);
  return (level, category) => LEVELS.indexOf(level) >= thresholdOf(category, thresholds);
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
