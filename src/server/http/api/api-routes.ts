import type { HttpRoute } from '../http-app.ts';
import { ACTION_ROUTES } from './actions.ts';
import { EVENT_ROUTES } from './events.ts';
import { HUB_ROUTES } from './hubs.ts';
import { SCALE_ROUTES } from '../../scale/scale-route.ts';
import { INSTANCE_ROUTES } from './instance.ts';
import { ORCHESTRATION_ROUTES } from './orchestrations.ts';
import { ROLE_ROUTES } from './roles.ts';

/** Every route of the JSON API that is ours; the probes of the product's tools stand in http-app.ts. */
export const API_ROUTES: readonly HttpRoute[] = [
  ...HUB_ROUTES,
  ...ORCHESTRATION_ROUTES,
  ...INSTANCE_ROUTES,
  ...ACTION_ROUTES,
  ...EVENT_ROUTES,
  ...ROLE_ROUTES,
  ...SCALE_ROUTES,
];
