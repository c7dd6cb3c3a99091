/** The version of this package; a test holds it to package.json. */
export const PACKAGE_VERSION = '0.1.0';

export type Caller = 'TaskHubClient' | 'TaskHubWorker';

/** What the `x-user-agent` header says: who calls, and from which version. */
export function userAgent(caller: Caller): string {
  return `durabletask-scheduler/${PACKAGE_VERSION} (${caller})`;
}
