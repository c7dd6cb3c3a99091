import type { Commit } from '../storage/store.ts';

/** About how many bytes a commit writes; payload texts count one byte per character. */
export function commitBytes(commit: Commit): number {
  switch (commit.kind) {
    case 'start':
      return commit.started.bytes.length;
    case 'deliver':
      return commit.event.bytes.length;
    case 'activity':
      return commit.result?.length ?? 0;
    case 'signal':
      return commit.message.event.bytes.length;
    case 'entity':
      return commit.result.entityState?.length ?? 0;
    case 'turn':
      return commit.actions.reduce((sum, action) => sum + actionBytes(action), 0);
    default:
      return 0;
  }
}

type Action = Extract<Commit, { kind: 'turn' }>['actions'][number];

function actionBytes({ orchestratorActionType: type }: Action): number {
  switch (type.case) {
    case 'scheduleTask':
    case 'createSubOrchestration':
      return type.value.input?.length ?? 0;
    case 'sendEvent':
      return type.value.data?.length ?? 0;
    case 'completeOrchestration':
      return type.value.result?.length ?? 0;
    default:
      return 0;
  }
}
