/** Public entry `durabletask-scheduler/testing`: a task hub in the process, with a clock to move. */
export { createActivityContext } from './activity-context.ts';
export type { ActivityContextOptions } from './activity-context.ts';
export { history, HistoryBuilder } from './history-builder.ts';
export type { AnswerOptions } from './history-builder.ts';
export { ManualClock } from './manual-clock.ts';
export type { OrchestrationResult } from './orchestration-result.ts';
export { Random, seededIds } from './random.ts';
export { replayOrchestrator } from './replay-orchestrator.ts';
export type { ReplayOptions, ReplayResult, Request } from './replay-orchestrator.ts';
export { runEntity } from './run-entity.ts';
export type {
  EntityEffect,
  EntityRunResult,
  RunEntityOptions,
  TestOperation,
  TestOperationResult,
} from './run-entity.ts';
export { runOrchestrator } from './run-orchestrator.ts';
export type { RunOrchestratorOptions } from './run-orchestrator.ts';
export { TestHub } from './test-hub.ts';
export type { RunOptions, TestHubOptions, TestOrchestrator } from './test-hub.ts';
export type { TimeSpan } from './time-span.ts';
