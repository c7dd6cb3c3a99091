import { optional } from '../../../core/optional.ts';
import type { Row } from '../../../storage/inspection.ts';
import type { RowJson } from './contract.ts';
import { iso } from './route.ts';
import { statusWord } from './status-words.ts';

/** The tag that replaces the shown name (product). */
const DISPLAY_NAME = 'durabletask.displayName';

export function rowJson(row: Row): RowJson {
  const { completedAt, scheduledAt, errorType, errorMessage } = row;
  return {
    id: row.instanceId,
    name: row.name,
    ...optional('displayName', row.tags[DISPLAY_NAME]),
    version: row.version,
    status: statusWord(row.status),
    tags: { ...row.tags },
    createdAt: iso(row.createdAt),
    updatedAt: iso(row.updatedAt),
    ...optional('completedAt', completedAt === undefined ? undefined : iso(completedAt)),
    ...optional('scheduledAt', scheduledAt === undefined ? undefined : iso(scheduledAt)),
    ...optional('parentId', row.parentId),
    executionId: row.executionId,
    generation: row.generation,
    ...optional('customStatusPreview', row.customStatus),
    ...(errorType !== undefined && { failure: { type: errorType, message: errorMessage ?? '' } }),
    ...optional('historyBytes', row.historyBytes),
    revision: row.revision,
  };
}
