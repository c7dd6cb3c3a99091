import { isAbort } from '../../base/abort.ts';
import type { Clock } from '../../base/clock.ts';
import type { IdSource } from '../../base/ids.ts';
import { invalidArgument, TaskHubError } from '../../core/errors.ts';
import type { RoleAssignment } from '../../core/roles.ts';
import type { RoleStore, StoredRoleAssignment } from '../../storage/role-store.ts';
import { logEvent } from '../../telemetry/log-events.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { RoleBook } from './role-book.ts';

/** How often the store is looked at for what other nodes have changed. */
export const ROLES_REFRESH_MS = 5_000;

/** An assignment as it is listed. Those of the configuration cannot be changed here. */
export interface ListedRoleAssignment extends Omit<StoredRoleAssignment, 'createdAt'> {
  readonly source: 'config' | 'store';
  readonly createdAt: number | undefined;
}

/** What an assignment is asked for with; the issuer may be left out where there is only one. */
export type WantedRoleAssignment = Omit<RoleAssignment, 'issuer'> & {
  readonly issuer: string | undefined;
};

export interface RoleAssignmentsOptions {
  readonly configured: readonly RoleAssignment[];
  readonly issuers: readonly string[];
  readonly store: RoleStore;
  /** Told of every change; what the guard looks at. */
  readonly book: RoleBook;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
}

/** The role assignments of configuration and store together, and the changes of those in the store. */
export class RoleAssignments {
  readonly #options: RoleAssignmentsOptions;

  constructor(options: RoleAssignmentsOptions) {
    this.#options = options;
  }

  async list(): Promise<readonly ListedRoleAssignment[]> {
    const { configured, store } = this.#options;
    const stored = await store.list();
    return [
      ...configured.map((each, index) => ({
        ...each,
        id: `config-${index + 1}`,
        source: 'config' as const,
        createdAt: undefined,
        createdBy: undefined,
      })),
      ...stored.map((each) => ({ ...each, source: 'store' as const })),
    ];
  }

  /** @throws TaskHubError INVALID_ARGUMENT, TASK_HUB_NOT_FOUND. */
  async create(
    wanted: WantedRoleAssignment,
    by: string | undefined,
  ): Promise<ListedRoleAssignment> {
    const { store, clock, ids } = this.#options;
    const created = await store.create({
      ...wanted,
      issuer: this.#issuerOf(wanted.issuer),
      id: ids.uuid(),
      createdAt: clock.now(),
      createdBy: by,
    });
    await this.refresh();
    return { ...created, source: 'store' };
  }

  /** @throws TaskHubError ROLE_ASSIGNMENT_NOT_FOUND; WRONG_STATE for one of the configuration. */
  async delete(id: string): Promise<void> {
    const { store, configured } = this.#options;
    const [, number] = /^config-(\d{1,6})$/.exec(id) ?? [];
    if (number !== undefined && configured[Number(number) - 1] !== undefined) {
      throw new TaskHubError(
        'WRONG_STATE',
        `Role assignment '${id}' stands in the configuration; remove it there and start again.`,
      );
    }
    if (!(await store.delete(id))) {
      throw new TaskHubError('ROLE_ASSIGNMENT_NOT_FOUND', `Role assignment not found: ${id}`);
    }
    await this.refresh();
  }

  #issuerOf(named: string | undefined): string {
    const { issuers } = this.#options;
    const [only] = issuers;
    const issuer = named ?? (issuers.length === 1 ? only : undefined);
    if (issuer !== undefined && (issuers.length === 0 || issuers.includes(issuer))) return issuer;
    throw invalidArgument(
      issuers.length === 0
        ? 'issuer must be named: this scheduler asks nobody for a token, so that it knows no issuer'
        : `issuer must be one of ${issuers.join(', ')}, got ${named ?? 'none'}`,
    );
  }

  async refresh(): Promise<void> {
    const { configured, store, book } = this.#options;
    book.replace([...configured, ...(await store.list())]);
  }

  /** Looks at the store again and again until the signal aborts; what cannot be read stays as it was. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { clock, logger } = this.#options;
    for (;;) {
      try {
        await clock.sleepUntil(clock.now() + ROLES_REFRESH_MS, { signal });
        await this.refresh();
      } catch (error) {
        if (isAbort(error, signal)) return;
        logEvent(logger, 'rolesStale', {
          error,
        });
      }
    }
  }
}
