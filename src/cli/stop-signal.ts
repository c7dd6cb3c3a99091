import type { EventEmitter } from 'node:events';
import { EXIT } from './cli-context.ts';

/** The part of `process` that is needed to be stopped. */
export interface StoppableProcess extends Pick<EventEmitter, 'on'> {
  exit(code: number): unknown;
}

/**
 * A signal that aborts at the first SIGINT or SIGTERM, so that the command can drain. Whoever sends
 * a second one does not want to wait: the process ends at once.
 */
export function onStopSignal(process: StoppableProcess): AbortSignal {
  const stopping = new AbortController();
  const onSignal = (): void => {
    if (stopping.signal.aborted) process.exit(EXIT.failed);
    stopping.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return stopping.signal;
}

/** Resolves when the signal aborts. */
export function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
