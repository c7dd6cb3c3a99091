/** Steps as lanes of a timeline: like steps by the dozen become one lane until somebody opens it. */
import { stepLabel } from './steps.ts';
import { beganAt, stateOf, type Step, type StepKind, type Story } from './story.ts';

interface Place {
  readonly key: string;
  /** How deep it stands in what was opened. */
  readonly depth: number;
  /** The orchestration whose history it is from. */
  readonly of: string;
}
export interface StepLane extends Place {
  readonly kind: 'step';
  readonly step: Step;
  /** Whether its own steps are shown below; undefined for what has none or lies too deep. */
  readonly isOpen: boolean | undefined;
}
export interface GroupLane extends Place {
  readonly kind: 'group';
  readonly name: string;
  readonly stepKind: StepKind;
  readonly steps: readonly Step[];
  readonly isOpen: boolean;
}
/** Shows so many more of an open group. */
export interface MoreLane extends Place {
  readonly kind: 'more';
  readonly left: number;
}
/** What an opened sub-orchestration has instead of steps. */
export interface NoteLane extends Place {
  readonly kind: 'note';
  readonly text: string;
}
/** The run itself, its turns, and the event that it may wait for. */
export interface OwnLane extends Place {
  readonly kind: 'root' | 'turns' | 'waits';
}
export type Lane = OwnLane | StepLane | GroupLane | MoreLane | NoteLane;

/** So many lanes of one name, and more, are folded. */
const GROUP_MIN = 8;
/** Lanes that an open group shows at first, and adds at a time; failed ones first. */
export const GROUP_PAGE = 50;
/** Sub-orchestrations inside one another that are shown in place. */
const DEPTH_MAX = 3;

export interface LaneOptions {
  readonly id: string;
  /** Groups and sub-orchestrations that are open, by key; the number is how many lanes they show. */
  readonly open: ReadonlyMap<string, number>;
  /** What is known of sub-orchestrations by their id: their story, or why there is none. */
  readonly children: ReadonlyMap<string, Story | string>;
  /** Only steps whose label has this in it. */
  readonly find: string;
  readonly isFailuresOnly: boolean;
}

export function layLanes(story: Story, options: LaneOptions): readonly Lane[] {
  const { id } = options;
  const lanes: Lane[] = [
    { key: 'root', kind: 'root', depth: 0, of: id },
    { key: 'turns', kind: 'turns', depth: 0, of: id },
  ];
  const place = { of: id, depth: 0, level: 0 };
  const steps = story.steps.filter((step) => isWanted(step, options));
  addSteps(lanes, { place, steps, options });
  if (story.waitsFrom !== undefined) lanes.push({ key: 'waits', kind: 'waits', depth: 0, of: id });
  return lanes;
}

function isWanted(step: Step, { find, isFailuresOnly }: LaneOptions): boolean {
  const hasFailed = step.tries.some(({ state }) => state === 'Failed');
  if (isFailuresOnly && !hasFailed) return false;
  return find === '' || stepLabel(step).toLowerCase().includes(find.toLowerCase());
}

interface Adding {
  readonly place: {
    readonly of: string;
    readonly depth: number;
    /** Sub-orchestrations that it lies in. */
    readonly level: number;
  };
  readonly steps: readonly Step[];
  readonly options: LaneOptions;
}

function addSteps(lanes: Lane[], { place, steps, options }: Adding): void {
  const groups = Map.groupBy(steps, groupKey);
  const done = new Set<string>();
  for (const step of steps) {
    const name = groupKey(step);
    const members = groups.get(name) ?? [];
    if (members.length < GROUP_MIN) addStep(lanes, step, { place, options });
    else if (!done.has(name)) {
      done.add(name);
      addGroup(lanes, members, { place, options });
    }
  }
}

function groupKey({ kind, name }: Step): string {
  return `${kind} ${name}`;
}

/** Keys of steps are theirs alone within one history. */
function keyIn({ of, level }: Adding['place'], key: string): string {
  return level === 0 ? key : `${of}\n${key}`;
}

type Where = Pick<Adding, 'place' | 'options'>;

function addGroup(lanes: Lane[], steps: readonly Step[], { place, options }: Where): void {
  const [first] = steps;
  if (!first) return;
  const { of, depth } = place;
  const key = keyIn(place, groupKey(first));
  const count = options.open.get(key);
  const isOpen = count !== undefined;
  const { name, kind: stepKind } = first;
  lanes.push({ key, kind: 'group', depth, of, name, stepKind, steps, isOpen });
  if (!isOpen) return;
  const inside = { place: { ...place, depth: depth + 1 }, options };
  for (const step of worstFirst(steps).slice(0, count)) addStep(lanes, step, inside);
  const left = steps.length - count;
  if (left > 0) lanes.push({ key: `${key} more`, kind: 'more', depth: depth + 1, of, left });
}

const RANK: Readonly<Record<string, number>> = { Failed: 0, Running: 1 };

/** Failed ones, those under way, the rest; each in the order in which they began. */
export function worstFirst(steps: readonly Step[]): readonly Step[] {
  const rank = (step: Step): number => RANK[stateOf(step)] ?? 2;
  return [...steps].sort((a, b) => rank(a) - rank(b));
}

function addStep(lanes: Lane[], step: Step, { place, options }: Where): void {
  const { of, depth, level } = place;
  const key = keyIn(place, step.key);
  const canOpen = step.kind === 'child' && step.target !== undefined && level < DEPTH_MAX;
  const isOpen = canOpen ? options.open.has(key) : undefined;
  lanes.push({ key, kind: 'step', depth, of, step, isOpen });
  if (isOpen !== true || step.target === undefined) return;
  const child = options.children.get(step.target) ?? 'Loading…';
  const inside = { of: step.target, depth: depth + 1, level: level + 1 };
  if (typeof child === 'string' || child.steps.length === 0) {
    const text = typeof child === 'string' ? child : 'It has begun nothing of its own.';
    lanes.push({ key: `${key} note`, kind: 'note', depth: depth + 1, of: step.target, text });
    return;
  }
  addSteps(lanes, { place: inside, steps: child.steps, options });
}

/** Moments of a story that a picture must not leave out, and stretches in which activities ran. */
export function activityOf(story: Story): {
  readonly moments: readonly number[];
  readonly busy: readonly { readonly from: number; readonly to: number }[];
} {
  const moments = [story.startAt, story.lastAt];
  const busy: { from: number; to: number }[] = [];
  if (story.endAt !== undefined) moments.push(story.endAt);
  for (const { at, endAt } of story.turns) moments.push(at, endAt);
  for (const { at } of story.marks) moments.push(at);
  for (const { from, to } of story.suspensions) moments.push(from, to ?? from);
  for (const step of story.steps) {
    for (const { startAt, endAt, heldUntil } of step.tries) {
      moments.push(startAt, endAt ?? startAt, heldUntil ?? startAt);
      if (step.kind === 'activity') busy.push({ from: startAt, to: endAt ?? Infinity });
    }
  }
  return { moments, busy };
}

/** How long steps of each name usually take in ms: the median of those that are done, where there are at least three. */
export function usualMs(steps: readonly Step[]): ReadonlyMap<string, number> {
  const done = new Map<string, number[]>();
  for (const step of steps) {
    const last = step.tries.at(-1);
    if (last?.state !== 'Completed' || last.endAt === undefined || step.kind === 'timer') continue;
    const list = done.get(groupKey(step)) ?? [];
    done.set(groupKey(step), list);
    list.push(last.endAt - last.startAt);
  }
  const usual = new Map<string, number>();
  for (const [key, list] of done) {
    const median = list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
    if (list.length >= 3 && median !== undefined) usual.set(key, median);
  }
  return usual;
}

/** Three times as long under way as its siblings took: worth a look. */
export function isOverdue(step: Step, usual: ReadonlyMap<string, number>, now: number): boolean {
  const median = usual.get(groupKey(step));
  const isLate = median !== undefined && now - beganAt(step) > 3 * Math.max(1, median);
  return isLate && stateOf(step) === 'Running';
}
