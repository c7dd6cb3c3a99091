/**
 * Every series that `GET /metrics` of the scheduler has. Names are fixed: dashboards and alert rules (docs/scaling/)
 * are written for them, and a test checks that these name no other.
 */
import type { MetricFamily } from './prometheus.ts';

const BY_HUB = ['task_hub'];
const BY_KIND = ['task_hub', 'kind'];
const BY_PROCESS: readonly string[] = [];

export const METRICS = {
  pending: {
    name: 'durabletask_work_items_pending',
    type: 'gauge',
    help: 'Work items that could be handed out now.',
    labels: BY_KIND,
  },
  active: {
    name: 'durabletask_work_items_active',
    type: 'gauge',
    help: 'Work items that workers connected to this node have in hand.',
    labels: BY_KIND,
  },
  oldestAge: {
    name: 'durabletask_work_item_oldest_age_seconds',
    type: 'gauge',
    help: 'How long the oldest pending work item waits; 0 when none does.',
    labels: BY_KIND,
  },
  parked: {
    name: 'durabletask_work_items_parked',
    type: 'gauge',
    help: 'Work items set aside because their workers were lost again and again.',
    labels: BY_KIND,
  },
  delivered: {
    name: 'durabletask_work_items_delivered_total',
    type: 'counter',
    help: 'Work items handed out by this node.',
    labels: BY_KIND,
  },
  redelivered: {
    name: 'durabletask_work_items_redelivered_total',
    type: 'counter',
    help: 'Of those delivered, items whose worker had been lost before.',
    labels: BY_KIND,
  },
  workers: {
    name: 'durabletask_connected_workers',
    type: 'gauge',
    help: 'Open work item streams on this node.',
    labels: BY_HUB,
  },
  targetWorkers: {
    name: 'durabletask_target_workers',
    type: 'gauge',
    help: 'Workers that the task hub needs, without bounds.',
    labels: BY_HUB,
  },
  rounds: {
    name: 'durabletask_rounds_total',
    type: 'counter',
    help: 'Transactions that this node made durable.',
    labels: BY_PROCESS,
  },
  failedRounds: {
    name: 'durabletask_rounds_failed_total',
    type: 'counter',
    help: 'Transactions that the store did not take.',
    labels: BY_PROCESS,
  },
  commits: {
    name: 'durabletask_commits_total',
    type: 'counter',
    help: 'Requests and completions that the transactions carried.',
    labels: BY_PROCESS,
  },
} as const satisfies Record<string, MetricFamily>;
