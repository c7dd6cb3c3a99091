/**
 * What a caller must be allowed to do (product roles: Data Reader reads, Worker works, Data
 * Contributor does all). Every RPC and HTTP route declares one from its first line, so that roles
 * are no retrofit.
 *
 * - `none`: tells nothing about any task hub (liveness of the process, the start page).
 * - `connect`: any role on the task hub will do (the greeting that every client and worker sends).
 * - `read`, `write`: data of the task hub.
 * - `work`: receive and finish work items.
 */
export type Permission = 'none' | 'connect' | 'read' | 'write' | 'work';
