import type { Command } from 'commander';
import { addHubFlag, hubPath, type ApiRun, type HubFlags } from './api-command.ts';

/** Flags of commands that concern one orchestration. */
export interface InstanceFlags extends HubFlags {
  readonly id: string;
}

export function addInstanceFlags(command: Command): Command {
  return addHubFlag(command).requiredOption('--id <id>', 'Instance id');
}

/** The API's path of the orchestration that the flags name. */
export function instancePath(run: Pick<ApiRun<InstanceFlags>, 'flags' | 'context'>): string {
  return `${hubPath(run)}/orchestrations/${encodeURIComponent(run.flags.id)}`;
}
