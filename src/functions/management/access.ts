import type { AppSettings } from '../../config/host-json.ts';
import { invalidArgument } from '../../core/errors.ts';

/** Which management routes exist in this process, and what protects them. */
export interface ManagementAccess {
  /** The routes that the host guards with its keys (`authLevel: "function"`). */
  readonly hasKeyRoutes: boolean;
  /** The key of signed links; with it, the routes that only a signature opens exist too. */
  readonly secret: string | undefined;
  readonly linkTtlMs: number;
}

const SECRET_LENGTH_MIN = 32;
const LINK_TTL_SECONDS = 24 * 60 * 60;

/**
 * Decides from the app settings (docs/decisions/0003-management-endpoints.md). Throws
 * INVALID_ARGUMENT for a secret that is too short or a setting that cannot be read, never showing it.
 */
export function readManagementAccess(env: AppSettings): ManagementAccess {
  const secret = readSecret(env['DURABLETASK_MANAGEMENT_SECRET']);
  const asked = (env['DURABLETASK_MANAGEMENT_ENDPOINTS'] ?? '').toLowerCase();
  if (!['', 'on', 'off'].includes(asked)) {
    throw invalidArgument('DURABLETASK_MANAGEMENT_ENDPOINTS must be "on" or "off".');
  }
  if (asked === 'off') return { hasKeyRoutes: false, secret: undefined, linkTtlMs: 0 };
  return {
    hasKeyRoutes: asked === 'on' || isDevelopment(env) || doesHostEnforceKeys(env),
    secret,
    linkTtlMs: readTtlMs(env['DURABLETASK_MANAGEMENT_LINK_SECONDS']),
  };
}

function readSecret(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  if (text.length >= SECRET_LENGTH_MIN) return text;
  throw invalidArgument(
    `DURABLETASK_MANAGEMENT_SECRET has ${text.length} characters; it must have at least ` +
      `${SECRET_LENGTH_MIN}, random ones (for example 32 bytes in base64).`,
  );
}

function readTtlMs(text: string | undefined): number {
  const seconds = text === undefined || text === '' ? LINK_TTL_SECONDS : Number(text);
  if (Number.isInteger(seconds) && seconds > 0) return seconds * 1000;
  throw invalidArgument('DURABLETASK_MANAGEMENT_LINK_SECONDS must be a whole number above 0.');
}

function isDevelopment(env: AppSettings): boolean {
  return env['AZURE_FUNCTIONS_ENVIRONMENT']?.toLowerCase() === 'development';
}

/** Azure's own hosts enforce function keys; what runs elsewhere has to say so itself. */
function doesHostEnforceKeys(env: AppSettings): boolean {
  return (
    ['WEBSITE_INSTANCE_ID', 'CONTAINER_APP_NAME'].some((name) => Boolean(env[name])) ||
    (Boolean(env['WEBSITE_SITE_NAME']) && Boolean(env['CONTAINER_NAME']))
  );
}
