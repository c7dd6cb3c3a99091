import { Cron } from 'croner';
import type { AppSettings } from '../config/host-json.ts';
import { resolveAppSetting } from '../config/host-json.ts';

/** When a timer trigger fires. */
export interface TimerSchedule {
  /** The expression after `%NAME%` was replaced. */
  readonly text: string;
  /** The first time after `at`, both epoch ms; `undefined` when there is none. */
  nextAfter(at: number): number | undefined;
}

const TIME_SPAN = /^(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$/;

/**
 * Parses a schedule: NCRONTAB with six fields (or five, without seconds), or a time span
 * `hh:mm:ss`. Times are UTC unless `WEBSITE_TIME_ZONE` names a zone. Throws an Error with the
 * host's text when it is neither.
 */
export function parseSchedule(expression: string, env: AppSettings): TimerSchedule {
  const text = resolveAppSetting(expression, env).trim();
  if (/^%[^%]+%$/.test(text)) throw new Error(`'${text}' does not resolve to a value.`);
  const span = TIME_SPAN.exec(text);
  if (span !== null) return everySpan(text, span);
  const cron = parseCron(text, env['WEBSITE_TIME_ZONE'] ?? 'Etc/UTC');
  return { text, nextAfter: (at) => cron.nextRun(new Date(at))?.getTime() };
}

function everySpan(text: string, [, ...fields]: readonly (string | undefined)[]): TimerSchedule {
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = fields.map((each) => Number(each ?? 0));
  const everyMs = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
  if (everyMs === 0) throw unrecognized(text);
  return { text, nextAfter: (at) => at + everyMs };
}

function parseCron(text: string, timezone: string): Cron {
  const count = text.split(/\s+/).length;
  if (count !== 5 && count !== 6) throw unrecognized(text);
  try {
    // NCRONTAB wants day of month and day of week both to match; cron by itself wants either.
    return new Cron(count === 5 ? `0 ${text}` : text, { timezone, paused: true, domAndDow: true });
  } catch (cause) {
    throw unrecognized(text, cause);
  }
}

function unrecognized(text: string, cause?: unknown): Error {
  return new Error(
    `The schedule expression '${text}' was not recognized as a valid cron expression or timespan string.`,
    { cause },
  );
}
