import { systemClock } from '../../../src/base/clock.ts';
import { systemIds } from '../../../src/base/ids.ts';
import { RoleAssignments } from '../../../src/server/auth/role-assignments.ts';
import { RoleBook } from '../../../src/server/auth/role-book.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';

/** Role assignments of a scheduler that has none, on a store that keeps none. */
export function noRoleAssignments(): RoleAssignments {
  return new RoleAssignments({
    ...{ configured: [], issuers: [], book: new RoleBook([]) },
    store: {
      list: () => Promise.resolve([]),
      create: (assignment) => Promise.resolve(assignment),
      delete: () => Promise.resolve(false),
    },
    ...{ clock: systemClock, ids: systemIds, logger: silentLogger },
  });
}
