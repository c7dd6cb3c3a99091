/** The tables of schema version 1; migrations/0001-initial.ts creates them, a test holds the two together. */
import type { Table } from './statement.ts';

/** Small integers for hubs: they head every key. */
export const HUBS = {
  name: 'hubs',
  columns: { hub: 'int', name: 'text' },
} as const satisfies Table;

/** Orchestrator and activity names with versions, so that work item filters become integer sets. */
export const TYPES = {
  name: 'types',
  columns: { type: 'int', hub: 'int', kind: 'int', name: 'text', version: 'text' },
} as const satisfies Table;

/** One row per instance, cold: written at start, first turn, completion and when the custom status changes. */
export const INSTANCES = {
  name: 'instances',
  columns: {
    hub: 'int',
    rid: 'int',
    id: 'text',
    kind: 'int',
    type: 'int',
    execution_id: 'text',
    exec: 'int',
    status: 'int',
    created_at: 'int',
    updated_at: 'int',
    completed_at: 'int',
    scheduled_at: 'int',
    parent_rid: 'int',
    parent_exec: 'int',
    parent_id: 'text',
    tags: 'text',
    custom_status: 'text',
    error_type: 'text',
    error_message: 'text',
    first_chunk: 'int',
    last_chunk: 'int',
  },
} as const satisfies Table;

/**
 * One narrow row per live instance: lease, inbox cursor, history cursor. The row to lock and to fence on.
 * Free: no token, `ready_at` null. Ready: `ready_at` set, whatever the token. Leased: token set, `ready_at` null.
 */
export const RUNS = {
  name: 'runs',
  columns: {
    hub: 'int',
    rid: 'int',
    kind: 'int',
    type: 'int',
    exec: 'int',
    execution_id: 'text',
    token: 'text',
    node: 'int',
    attempts: 'int',
    abandons: 'int',
    dispatched_at: 'int',
    lease_upto: 'int',
    lease_sender: 'int',
    ready_at: 'int',
    next_seq: 'int',
    read_seq: 'int',
    first_chunk: 'int',
    next_chunk: 'int',
    history_bytes: 'int',
    parent_rid: 'int',
    parent_exec: 'int',
    parent_task: 'int',
    suspended: 'int',
    locking: 'int',
    updated_at: 'int',
    trace: 'blob',
  },
} as const satisfies Table;

/** One row per turn: its events framed as `pastEvents`, ready to be spliced. Workers never see `hidden` ones. */
export const HISTORY = {
  name: 'history',
  columns: { hub: 'int', rid: 'int', chunk: 'int', hidden: 'int', bytes: 'blob' },
} as const satisfies Table;

/** Events delivered and not yet in history, in order of arrival. */
export const INBOX = {
  name: 'inbox',
  columns: { hub: 'int', rid: 'int', seq: 'int', type: 'int', sender: 'int', bytes: 'blob' },
} as const satisfies Table;

/** Activities that have not ended; same lease rules as `runs`. `detached`: scheduled by the owner's last turn. */
export const ACTIVITIES = {
  name: 'activities',
  columns: {
    hub: 'int',
    aid: 'int',
    rid: 'int',
    exec: 'int',
    type: 'int',
    task: 'int',
    token: 'text',
    node: 'int',
    attempts: 'int',
    abandons: 'int',
    ready_at: 'int',
    detached: 'int',
    bytes: 'blob',
  },
} as const satisfies Table;

export const TIMERS = {
  name: 'timers',
  columns: { hub: 'int', tid: 'int', rid: 'int', exec: 'int', due_at: 'int', bytes: 'blob' },
} as const satisfies Table;

/** One row per entity beside its `instances` and `runs` rows; its state is the one chunk of its history. */
export const ENTITIES = {
  name: 'entities',
  columns: {
    hub: 'int',
    rid: 'int',
    tail: 'int',
    lock_count: 'int',
    lock_seq: 'int',
    owner_operations: 'int',
    ending_seq: 'int',
    failures: 'int',
  },
} as const satisfies Table;

/** Lock requests of entities, waiting or granted, in one order with the operations of the inbox. */
export const LOCKS = {
  name: 'locks',
  columns: {
    hub: 'int',
    rid: 'int',
    seq: 'int',
    owner_rid: 'int',
    owner_exec: 'int',
    section: 'text',
    lock_set: 'text',
    position: 'int',
    ahead: 'int',
  },
} as const satisfies Table;

/** Requests that entities have seen, kept for a while. An empty `id` marks an entity as empty since `at`. */
export const REQUESTS = {
  name: 'requests',
  columns: { hub: 'int', rid: 'int', id: 'text', at: 'int' },
} as const satisfies Table;

/** Row ids whose history and inbox a later sweep deletes. */
export const GARBAGE = {
  name: 'garbage',
  columns: { hub: 'int', rid: 'int' },
} as const satisfies Table;

/** The last round that a node committed in each of its lanes. */
export const LANES = {
  name: 'lanes',
  columns: { node: 'int', lane: 'int', round: 'int' },
} as const satisfies Table;

/** Who may do what; the empty hub name stands for the scheduler. */
export const ROLE_ASSIGNMENTS = {
  name: 'role_assignments',
  columns: {
    id: 'text',
    role: 'text',
    issuer: 'text',
    assignee_type: 'text',
    assignee: 'text',
    task_hub: 'text',
    created_at: 'int',
    created_by: 'text',
  },
} as const satisfies Table;

/** After how many days ended instances of a status are deleted. */
export const RETENTION = {
  name: 'retention',
  columns: { status: 'int', days: 'int' },
} as const satisfies Table;

/** Imports that have begun and not ended: nobody opens a store that has one. */
export const IMPORTS = {
  name: 'imports',
  columns: { id: 'text', batch: 'int', hubs: 'text', type_base: 'int', node: 'int' },
} as const satisfies Table;
