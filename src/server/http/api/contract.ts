/**
 * What the JSON API answers, as the dashboard and the OpenAPI file know it. Times are RFC 3339 in UTC; a missing value is
 * left out.
 */
import { z } from 'zod';
import { ASSIGNEE_TYPES, ROLES } from '../../../core/roles.ts';
import { LOG_LEVELS } from '../../../telemetry/logger.ts';

const time = z.iso.datetime();
const count = z.int().min(0);
const kind = z.enum(['orchestration', 'activity', 'entity']);

export const STATUS_WORDS = [
  'Pending',
  'Running',
  'Suspended',
  'Completed',
  'Failed',
  'Terminated',
  'Canceled',
  'ContinuedAsNew',
] as const;
export const statusSchema = z.enum(STATUS_WORDS);

export const rowSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  displayName: z.string().optional().describe('The tag durabletask.displayName'),
  version: z.string(),
  status: statusSchema,
  tags: z.record(z.string(), z.string()),
  createdAt: time,
  updatedAt: time,
  completedAt: time.optional(),
  scheduledAt: time.optional(),
  parentId: z.string().optional(),
  executionId: z.string(),
  generation: z.int().min(1).describe('Counts continue-as-new'),
  customStatusPreview: z.string().optional().describe('Its first 200 characters'),
  failure: z.strictObject({ type: z.string(), message: z.string() }).optional(),
  historyBytes: count.optional(),
  revision: z.string().describe('Changes whenever something of the instance did'),
});

export const rowPageSchema = z.strictObject({
  items: z.array(rowSchema),
  next: z.string().optional().describe('Cursor of the page behind this one'),
  prev: z.string().optional().describe('Cursor of the page before this one'),
  isPartial: z
    .boolean()
    .describe('The page is short because of how many rows were tried; next goes on from there'),
  asOf: time,
});

const capped = z.strictObject({
  count,
  isCapped: z.boolean().describe('There are more than were counted'),
});
export const countSchema = capped;

export const facetsSchema = z.strictObject({
  facets: z.array(
    z.strictObject({
      by: z.enum(['status', 'name', 'version', 'errorType']),
      value: z.string(),
      count,
    }),
  ),
});

const backlogSchema = z.strictObject({
  kind,
  name: z.string(),
  version: z.string(),
  pending: count,
  isCapped: z.boolean(),
  oldestAt: time,
  isClaimed: z.boolean().describe('A connected worker takes this name'),
  closest: z.string().optional().describe('The most similar name that a connected worker takes'),
});

export const summarySchema = z.strictObject({
  hub: z.string(),
  counts: z.partialRecord(statusSchema, capped),
  workers: count,
  active: z.record(kind, count).describe('Work items with workers of this node'),
  backlog: z.array(backlogSchema),
  parked: count,
  asOf: time,
});

export const hubsSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      name: z.string(),
      workers: count,
      active: capped.describe('Orchestrations that have not ended'),
      failed: capped,
      pending: count.describe('Work items that wait'),
      oldestAt: time.optional(),
      unclaimed: count.describe('Of these, how many no connected worker takes'),
    }),
  ),
  grpcEndpoint: z.string(),
});

export const instanceSchema = z.strictObject({
  instance: rowSchema,
  ancestors: z.array(rowSchema).describe('Its parent first'),
  children: z.partialRecord(statusSchema, count),
  sizes: z
    .strictObject({
      input: count.optional(),
      output: count.optional(),
      customStatus: count.optional(),
    })
    .describe('Bytes of its payloads'),
  asOf: time,
});

export const payloadSummarySchema = z.strictObject({
  bytes: count,
  preview: z.string().optional().describe('Its first characters'),
  isCut: z.boolean(),
});

export interface FailureJson {
  readonly type: string;
  readonly message: string;
  readonly stackTrace?: string | undefined;
  readonly isNonRetriable?: boolean | undefined;
  readonly inner?: FailureJson | undefined;
}
export const failureSchema: z.ZodType<FailureJson> = z
  .strictObject({
    type: z.string(),
    message: z.string(),
    stackTrace: z.string().optional(),
    isNonRetriable: z.boolean().optional(),
    get inner() {
      return failureSchema.optional();
    },
  })
  .meta({ id: 'Failure' });

export const eventSchema = z.strictObject({
  ref: z
    .string()
    .describe('Names the event in this execution: pass it as `after`, or for its payloads'),
  position: z.int().min(1),
  kind: z.string().describe('The case of HistoryEvent.eventType'),
  eventId: z.int(),
  at: time.optional(),
  name: z.string().optional(),
  version: z.string().optional(),
  scheduledId: z.int().optional().describe('Id of the event that it answers'),
  target: z.string().optional().describe('Instance or entity that it is about'),
  requestId: z.string().optional(),
  fireAt: time.optional(),
  status: statusSchema.optional(),
  lockSet: z.array(z.string()).optional(),
  reason: z.string().optional(),
  recurse: z.boolean().optional(),
  failure: failureSchema.optional(),
  payloads: z.record(z.string(), payloadSummarySchema).optional(),
});

export const historySchema = z.strictObject({
  executionId: z.string(),
  items: z.array(eventSchema),
  next: z.string().optional().describe('Pass as `after`; absent at the end of what is there now'),
});

const verdict = z.enum(['takes', 'full', 'name', 'version', 'draining']);
export const waitingSchema = z.strictObject({
  id: z.string(),
  status: statusSchema,
  items: z.array(
    z.strictObject({
      code: z.string(),
      class: z.enum(['normal', 'load', 'problem']),
      kind: z.enum(['orchestration', 'activity', 'entity', 'timer', 'child', 'event']).optional(),
      name: z.string().optional(),
      version: z.string().optional(),
      eventId: z.int().optional(),
      attempts: count.optional(),
      abandons: count.optional(),
      worker: z.string().optional().describe('Who has it'),
      since: time.optional(),
      dueAt: time.optional(),
      childId: z.string().optional(),
      childStatus: statusSchema.optional(),
      closest: z.string().optional(),
      workers: z
        .array(
          z.strictObject({
            stream: z.int(),
            workerId: z.string().optional(),
            verdict,
            announces: z.array(z.string()).optional().describe('Absent: it takes anything'),
          }),
        )
        .optional(),
      inferred: z.boolean(),
    }),
  ),
  otherHubs: z.array(z.strictObject({ hub: z.string(), workers: count })),
  asOf: time,
});

export const workersSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      stream: z.int(),
      workerId: z.string().optional(),
      userAgent: z.string().optional(),
      connectedAt: time,
      isDraining: z.boolean(),
      isSticky: z.boolean(),
      capacity: z.record(kind, count),
      inFlight: z.record(kind, count),
      takes: z
        .record(
          kind,
          z.array(z.strictObject({ name: z.string(), versions: z.array(z.string()) })).optional(),
        )
        .describe('By kind; absent: anything'),
      delivered: count,
      completed: count,
      gaveBack: count,
    }),
  ),
  asOf: time,
});

export const heldSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      kind,
      since: time,
      attempts: count,
      id: z.string().optional(),
      name: z.string().optional(),
    }),
  ),
});

export const drainedSchema = z.strictObject({
  drained: count.describe('0: no such worker is connected to this node'),
});
export type DrainedJson = z.infer<typeof drainedSchema>;

export const namesSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      kind,
      name: z.string(),
      versions: z.array(z.string()),
      isConnected: z.boolean().describe('A connected worker announces it'),
      isStored: z.boolean().describe('It has been used in this hub'),
    }),
  ),
});

export const parkedSchema = z.strictObject({
  items: z.array(z.strictObject({ kind, id: z.string(), name: z.string(), attempts: count })),
});

export const startedSchema = z.strictObject({ id: z.string() });
export const acceptedSchema = z.strictObject({ acceptedAt: time, id: z.string().optional() });

export const problemSchema = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string(),
  errors: z.array(z.strictObject({ pointer: z.string(), detail: z.string() })).optional(),
});

export type StatusWord = z.infer<typeof statusSchema>;
export type RowJson = z.infer<typeof rowSchema>;
export type RowPageJson = z.infer<typeof rowPageSchema>;
export type CountJson = z.infer<typeof countSchema>;
export type FacetsJson = z.infer<typeof facetsSchema>;
export type SummaryJson = z.infer<typeof summarySchema>;
export type HubsJson = z.infer<typeof hubsSchema>;
export type InstanceJson = z.infer<typeof instanceSchema>;
export type EventJson = z.infer<typeof eventSchema>;
export type HistoryJson = z.infer<typeof historySchema>;
export type WaitingJson = z.infer<typeof waitingSchema>;
export type WorkersJson = z.infer<typeof workersSchema>;
export type HeldJson = z.infer<typeof heldSchema>;
export type NamesJson = z.infer<typeof namesSchema>;
export type ParkedJson = z.infer<typeof parkedSchema>;
export type PayloadSummaryJson = z.infer<typeof payloadSummarySchema>;

export const roleAssignmentSchema = z.strictObject({
  id: z.string(),
  role: z.enum(ROLES),
  roleName: z.string().describe('The product’s name of the role'),
  assigneeType: z.enum(ASSIGNEE_TYPES),
  assignee: z.string(),
  issuer: z.string(),
  taskHub: z.string().optional().describe('Absent: the whole scheduler'),
  source: z.enum(['config', 'store']).describe('Those of the configuration are changed there'),
  createdAt: time.optional(),
  createdBy: z.string().optional(),
});
export type RoleAssignmentJson = z.infer<typeof roleAssignmentSchema>;

export const roleAssignmentsSchema = z.strictObject({ items: z.array(roleAssignmentSchema) });
export type RoleAssignmentsJson = z.infer<typeof roleAssignmentsSchema>;

const kindFigures = z.strictObject({
  pending: count.describe('Could be handed out now'),
  active: count.describe('With workers of this node'),
  parked: count,
  oldestAgeSeconds: z.number().min(0).describe('0 when nothing waits'),
  perWorker: count.describe('What one worker does at once'),
});

export const scaleSchema = z.strictObject({
  hub: z.string(),
  rawTarget: count.describe('Workers that the load of this moment asks for'),
  target: count.describe('Workers to have: growth at once, fewer only when a whole window agrees'),
  vote: z.union([z.literal(-1), z.literal(0), z.literal(1)]),
  kinds: z.record(kind, kindFigures),
  connectedWorkers: count,
  asOf: time,
});
export type ScaleJson = z.infer<typeof scaleSchema>;
export const bulkActionSchema = z.enum([
  'suspend',
  'resume',
  'terminate',
  'force-terminate',
  'restart',
  'rewind',
  'purge',
]);

export const bulkJobSchema = z.strictObject({
  id: z.string(),
  action: bulkActionSchema,
  state: z.enum(['queued', 'running', 'cancelling', 'cancelled', 'completed', 'failed']),
  total: count,
  isTotalCapped: z.boolean(),
  done: count,
  skipped: count.describe('In a state that does not allow it, or gone'),
  failed: count,
  createdAt: time,
  finishedAt: time.optional(),
  error: z.string().optional().describe('Why the job itself failed'),
});
export const bulkJobsSchema = z.strictObject({ items: z.array(bulkJobSchema) });
export const bulkResultsSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      id: z.string(),
      outcome: z.enum(['skipped', 'failed']),
      code: z.string(),
      detail: z.string(),
    }),
  ),
  isCut: z.boolean(),
});

const days = z.int().min(0).max(90);
export const retentionStateSchema = z.enum(['Completed', 'Failed', 'Canceled', 'Terminated']);
export const retentionSchema = z.strictObject({
  retentionPolicies: z.array(
    z.strictObject({
      retentionPeriodInDays: days,
      orchestrationState: retentionStateSchema
        .optional()
        .describe('Absent: every ended status without a rule of its own'),
    }),
  ),
});

export const retentionPreviewSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      orchestrationState: retentionStateSchema,
      endedBefore: time.describe('Those that ended before go'),
      count,
      isCapped: z.boolean(),
    }),
  ),
});

export const configSchema = z.strictObject({
  items: z.array(
    z.strictObject({
      key: z.string(),
      value: z.unknown().optional(),
      source: z.string(),
      description: z.string(),
      flag: z.string(),
      environment: z.string(),
    }),
  ),
});

export const logLevelSchema = z.strictObject({ level: z.enum(LOG_LEVELS) });

export const metricsSchema = z.strictObject({
  stepMs: count,
  /** Epoch ms, then one number for each time and series. */
  at: z.array(z.int()),
  series: z.record(z.string(), z.array(z.number())),
});

export type BulkJobJson = z.infer<typeof bulkJobSchema>;
export type BulkJobsJson = z.infer<typeof bulkJobsSchema>;
export type BulkResultsJson = z.infer<typeof bulkResultsSchema>;
export type RetentionJson = z.infer<typeof retentionSchema>;
export type RetentionPreviewJson = z.infer<typeof retentionPreviewSchema>;
export type LogLevelJson = z.infer<typeof logLevelSchema>;
export type ConfigJson = z.infer<typeof configSchema>;
export type MetricsJson = z.infer<typeof metricsSchema>;
