/** Public entry `durabletask-scheduler/testing`: a task hub in the process, with a clock to move. */
export { ManualClock } from './manual-clock.ts';
export type { OrchestrationResult } from './orchestration-result.ts';
export { Random, seededIds } from './random.ts';
export { runOrchestrator } from './run-orchestrator.ts';
export type { RunOrchestratorOptions } from './run-orchestrator.ts';
export { TestHub } from './test-hub.ts';
export type { RunOptions, TestHubOptions, TestOrchestrator } from './test-hub.ts';
export type { TimeSpan } from './time-span.ts';
