/** What can be done to an orchestration, and when it makes sense. */

export const ACTIONS = [
  'suspend',
  'resume',
  'terminate',
  'force-terminate',
  'restart',
  'rewind',
  'purge',
] as const;
export type ActionName = (typeof ACTIONS)[number];

export interface ActionText {
  readonly verb: string;
  /** One sentence on what it does. */
  readonly effect: string;
  /** Statuses in which it can be done. */
  readonly statuses: readonly string[];
  readonly takesReason: boolean;
  /** Asks first. */
  readonly isDanger: boolean;
}

const LIVE = ['Pending', 'Running', 'Suspended'];
const ENDED = ['Completed', 'Failed', 'Terminated', 'Canceled'];

export const ACTION_TEXTS: Readonly<Record<ActionName, ActionText>> = {
  suspend: {
    ...{ verb: 'Suspend', takesReason: true, isDanger: false },
    statuses: ['Pending', 'Running'],
    effect: 'It stops at its next turn; events are kept for when it is resumed.',
  },
  resume: {
    ...{ verb: 'Resume', takesReason: true, isDanger: false },
    statuses: ['Suspended'],
    effect: 'It goes on with everything that arrived meanwhile.',
  },
  terminate: {
    ...{ verb: 'Terminate', takesReason: true, isDanger: true },
    statuses: LIVE,
    effect: 'It ends at its next turn; activities that are running are not interrupted.',
  },
  'force-terminate': {
    ...{ verb: 'Force-terminate', takesReason: true, isDanger: true },
    statuses: LIVE,
    effect: 'Its record ends at once, without running its code.',
  },
  restart: {
    ...{ verb: 'Restart', takesReason: false, isDanger: true },
    statuses: ENDED,
    effect: 'It starts again with the input it had; its history is replaced.',
  },
  rewind: {
    ...{ verb: 'Rewind', takesReason: true, isDanger: true },
    statuses: ['Failed'],
    effect: 'Its failed steps run again; failures that its code has handled run again as well.',
  },
  purge: {
    ...{ verb: 'Purge', takesReason: false, isDanger: true },
    statuses: ENDED,
    effect: 'Its record and history are deleted. This cannot be undone.',
  },
};
