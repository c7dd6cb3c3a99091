/**
 * Every metric there is, by name and unit; docs/TELEMETRY.md shows them, held by a test. Names are fixed: dashboards and
 * alert rules (docs/scaling/) are written for them, and a test checks that these name no other.
 */
import type { ObservedFamily, RecordedFamily } from './metric-family.ts';

const BY_HUB = ['task_hub'];
const BY_KIND = ['task_hub', 'kind'];
const BY_PROCESS: readonly string[] = [];

/** What is looked at when somebody asks: `GET /metrics`, or an OpenTelemetry SDK each time it exports. */
export const METRICS = {
  pending: {
    name: 'durabletask_work_items_pending',
    instrument: 'durabletask.work_items.pending',
    unit: '{item}',
    type: 'gauge',
    help: 'Work items that could be handed out now.',
    labels: BY_KIND,
  },
  active: {
    name: 'durabletask_work_items_active',
    instrument: 'durabletask.work_items.active',
    unit: '{item}',
    type: 'gauge',
    help: 'Work items that workers connected to this node have in hand.',
    labels: BY_KIND,
  },
  oldestAge: {
    name: 'durabletask_work_item_oldest_age_seconds',
    instrument: 'durabletask.work_item.oldest_age',
    unit: 's',
    type: 'gauge',
    help: 'How long the oldest pending work item waits; 0 when none does.',
    labels: BY_KIND,
  },
  parked: {
    name: 'durabletask_work_items_parked',
    instrument: 'durabletask.work_items.parked',
    unit: '{item}',
    type: 'gauge',
    help: 'Work items set aside because their workers were lost again and again.',
    labels: BY_KIND,
  },
  delivered: {
    name: 'durabletask_work_items_delivered_total',
    instrument: 'durabletask.work_items.delivered',
    unit: '{item}',
    type: 'counter',
    help: 'Work items handed out by this node.',
    labels: BY_KIND,
  },
  redelivered: {
    name: 'durabletask_work_items_redelivered_total',
    instrument: 'durabletask.work_items.redelivered',
    unit: '{item}',
    type: 'counter',
    help: 'Of those delivered, items whose worker had been lost before.',
    labels: BY_KIND,
  },
  workers: {
    name: 'durabletask_connected_workers',
    instrument: 'durabletask.connected_workers',
    unit: '{worker}',
    type: 'gauge',
    help: 'Open work item streams on this node.',
    labels: BY_HUB,
  },
  targetWorkers: {
    name: 'durabletask_target_workers',
    instrument: 'durabletask.target_workers',
    unit: '{worker}',
    type: 'gauge',
    help: 'Workers that the task hub needs, without bounds.',
    labels: BY_HUB,
  },
  rounds: {
    name: 'durabletask_rounds_total',
    instrument: 'durabletask.rounds',
    unit: '{round}',
    type: 'counter',
    help: 'Transactions that this node made durable.',
    labels: BY_PROCESS,
  },
  failedRounds: {
    name: 'durabletask_rounds_failed_total',
    instrument: 'durabletask.rounds.failed',
    unit: '{round}',
    type: 'counter',
    help: 'Transactions that the store did not take.',
    labels: BY_PROCESS,
  },
  commits: {
    name: 'durabletask_commits_total',
    instrument: 'durabletask.commits',
    unit: '{commit}',
    type: 'counter',
    help: 'Requests and completions that the transactions carried.',
    labels: BY_PROCESS,
  },
} as const satisfies Record<string, ObservedFamily>;

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
const MILLISECONDS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];
const BY_CALL = ['rpc.system', 'rpc.service', 'rpc.method', 'rpc.grpc.status_code'];

/** What is recorded as it happens, for an OpenTelemetry SDK alone. */
export const RECORDED = {
  roundDuration: {
    instrument: 'durabletask.round.duration',
    type: 'histogram',
    unit: 's',
    help: 'How long the store took to make one transaction durable.',
    labels: BY_PROCESS,
    boundaries: SECONDS,
  },
  itemDuration: {
    instrument: 'durabletask.work_item.duration',
    type: 'histogram',
    unit: 's',
    help: 'From the hand-out of a work item until its worker answered or gave it back (`outcome`).',
    labels: [...BY_KIND, 'outcome'],
    boundaries: SECONDS,
  },
  serverCallDuration: {
    instrument: 'rpc.server.duration',
    type: 'histogram',
    unit: 'ms',
    help: 'How long the scheduler took to answer a unary call.',
    labels: BY_CALL,
    boundaries: MILLISECONDS,
  },
  clientCallDuration: {
    instrument: 'rpc.client.duration',
    type: 'histogram',
    unit: 'ms',
    help: 'How long a client or worker waited for the answer to a unary call; each attempt counts.',
    labels: BY_CALL,
    boundaries: MILLISECONDS,
  },
  workDuration: {
    instrument: 'durabletask.worker.work_item.duration',
    type: 'histogram',
    unit: 's',
    help: 'From the arrival of a work item at a worker until the scheduler took its result.',
    labels: [...BY_KIND, 'name', 'outcome'],
    boundaries: SECONDS,
  },
  workInHand: {
    instrument: 'durabletask.worker.work_items.active',
    type: 'upDownCounter',
    unit: '{item}',
    help: 'Work items that a worker has in hand.',
    labels: BY_KIND,
  },
  connectionsLost: {
    instrument: 'durabletask.worker.connections_lost',
    type: 'counter',
    unit: '{connection}',
    help: 'Streams of work items that ended without the worker wanting it.',
    labels: BY_HUB,
  },
} as const satisfies Record<string, RecordedFamily>;
