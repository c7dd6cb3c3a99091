/** The level of this node's log, which may be set while it runs. */
import { TaskHubError } from '../../../core/errors.ts';
import { logEvent } from '../../../telemetry/log-events.ts';
import {
  isLevelled,
  LOG_LEVELS,
  type LevelledLogger,
  type Logger,
} from '../../../telemetry/logger.ts';
import type { HttpRoute } from '../http-app.ts';
import { logLevelSchema, type LogLevelJson } from './contract.ts';
import { api } from './route.ts';

export const LOG_LEVEL_ROUTES: readonly HttpRoute[] = [
  api({
    method: 'GET',
    path: '/log-level',
    permission: 'inspect',
    summary: "The level of this node's log",
    answer: logLevelSchema,
    handle: ({ options, context }) => {
      const { level } = levelled(options.logger);
      return context.json({ level } satisfies LogLevelJson);
    },
  }),
  api({
    method: 'PUT',
    path: '/log-level',
    permission: 'manage',
    summary: "Sets the level of this node's log until it is started again",
    body: logLevelSchema,
    answer: logLevelSchema,
    handle: ({ options, body, context }) => {
      setLevel(levelled(options.logger), body);
      return context.json(body satisfies LogLevelJson);
    },
  }),
];

/** Said at whichever of the two levels says more: who turns a log off is seen in it. */
function setLevel(logger: LevelledLogger, { level }: LogLevelJson): void {
  const before = logger.level;
  logger.level = LOG_LEVELS.find((each) => each === before || each === level) ?? level;
  logEvent(logger, 'logLevelSet', { from: before, to: level });
  logger.level = level;
}

function levelled(logger: Logger): LevelledLogger {
  if (isLevelled(logger)) return logger;
  throw new TaskHubError(
    'WRONG_STATE',
    'The scheduler writes into a logger of the process that embeds it, which has no level to set: set it there.',
  );
}
