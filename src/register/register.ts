/**
 * Public entry `durabletask-scheduler/register`, for `node --import`: makes `durable-functions`
 * resolve to this package for the app, whether it says `import` or `require`, so that an app written
 * for the .NET extension runs in the worker unchanged.
 */
import { registerDurableFunctions } from './redirect.ts';

registerDurableFunctions();
