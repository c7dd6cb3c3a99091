import type { HttpRoute } from '../http-app.ts';
import { ACTION_ROUTES } from './actions.ts';
import { BULK_ROUTES } from './bulk.ts';
import { ENTITY_ROUTES } from './entities.ts';
import { EVENT_ROUTES } from './events.ts';
import { HUB_ROUTES } from './hubs.ts';
import { SCALE_ROUTES } from '../../scale/scale-route.ts';
import { INSTANCE_ROUTES } from './instance.ts';
import { LOG_LEVEL_ROUTES } from './log-level.ts';
import { RETENTION_ROUTES } from './retention.ts';
import { SCHEDULER_ROUTES } from './scheduler.ts';
import { openApiDocument } from './openapi.ts';
import { ORCHESTRATION_ROUTES } from './orchestrations.ts';
import { ROLE_ROUTES } from './roles.ts';
import { SIGN_IN_ROUTES } from './sign-in.ts';
import { api } from './route.ts';

const ROUTES: readonly HttpRoute[] = [
  ...HUB_ROUTES,
  ...ORCHESTRATION_ROUTES,
  ...INSTANCE_ROUTES,
  ...ACTION_ROUTES,
  ...ENTITY_ROUTES,
  ...BULK_ROUTES,
  ...RETENTION_ROUTES,
  ...SCHEDULER_ROUTES,
  ...LOG_LEVEL_ROUTES,
  ...EVENT_ROUTES,
  ...ROLE_ROUTES,
  ...SIGN_IN_ROUTES,
  ...SCALE_ROUTES,
];

const DESCRIPTION = api({
  method: 'GET',
  path: '/openapi.json',
  permission: 'none',
  summary: 'This description',
  handle: ({ context }) => context.json(openApiDocument(API_ROUTES)),
});

/** Every route of the JSON API that is ours; the probes of the product's tools stand in http-app.ts. */
export const API_ROUTES: readonly HttpRoute[] = [...ROUTES, DESCRIPTION];
