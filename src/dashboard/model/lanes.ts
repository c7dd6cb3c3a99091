/** Steps as lanes of a timeline: like steps by the dozen become one lane until somebody opens it. */
import type { Step, StepKind, Story } from './history.ts';

export interface StepLane {
  readonly key: string;
  readonly kind: 'step';
  readonly step: Step;
  readonly isInGroup: boolean;
}
export interface GroupLane {
  readonly key: string;
  readonly kind: 'group';
  readonly name: string;
  readonly stepKind: StepKind;
  readonly steps: readonly Step[];
  readonly isOpen: boolean;
}
export interface RootLane {
  readonly key: 'root';
  readonly kind: 'root';
}
export type Lane = RootLane | StepLane | GroupLane;

/** So many lanes of one name, and more, are folded. */
const GROUP_MIN = 8;
/** Lanes that an open group shows, failed ones first. */
const GROUP_SHOWN = 50;

const ICONS: Readonly<Record<StepKind, string>> = {
  activity: '⚙',
  child: '⑂',
  timer: '⏱',
  event: '◇',
  call: '◎',
  lock: '⚿',
  signal: '➤',
  sent: '➤',
};

export function stepIcon(kind: StepKind): string {
  return ICONS[kind];
}

export function stateOf(step: Step): string {
  return step.tries.at(-1)?.state ?? 'Running';
}

export function stepLabel(step: Step): string {
  const { kind, name, target, tries } = step;
  const of = kind === 'timer' ? 'Timer' : name;
  const about = target !== undefined && kind !== 'activity' ? ` ${target}` : '';
  return `${of}${about}${tries.length > 1 ? ` · ${tries.length} tries` : ''}`;
}

const WORDS: Readonly<Record<StepKind, string>> = {
  activity: 'Activity',
  child: 'Sub-orchestration',
  timer: 'Timer',
  event: 'External event',
  call: 'Entity call',
  lock: 'Entity lock',
  signal: 'Entity signal',
  sent: 'Event sent',
};

export function stepWord(kind: StepKind): string {
  return WORDS[kind];
}

export function layLanes(story: Story, open: ReadonlySet<string>): readonly Lane[] {
  const groups = new Map<string, Step[]>();
  for (const step of story.steps) {
    const key = `${step.kind} ${step.name}`;
    const group = groups.get(key);
    if (group) group.push(step);
    else groups.set(key, [step]);
  }
  const lanes: Lane[] = [{ key: 'root', kind: 'root' }];
  const done = new Set<string>();
  for (const step of story.steps) {
    const key = `${step.kind} ${step.name}`;
    const steps = groups.get(key) ?? [];
    if (steps.length < GROUP_MIN) {
      lanes.push({ key: step.key, kind: 'step', step, isInGroup: false });
      continue;
    }
    if (done.has(key)) continue;
    done.add(key);
    const isOpen = open.has(key);
    lanes.push({ key, kind: 'group', name: step.name, stepKind: step.kind, steps, isOpen });
    if (isOpen) lanes.push(...shownOf(steps));
  }
  return lanes;
}

const RANK: Readonly<Record<string, number>> = { Failed: 0, Running: 1 };

function shownOf(steps: readonly Step[]): readonly StepLane[] {
  const rank = (step: Step): number => RANK[stateOf(step)] ?? 2;
  return [...steps]
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, GROUP_SHOWN)
    .map((step) => ({ key: step.key, kind: 'step', step, isInGroup: true }));
}

/** Steps 1, 2 or 5 times a power of ten apart, about `count` of them. */
export function ticks(from: number, to: number, count: number): readonly number[] {
  const span = Math.max(1, to - from);
  const raw = span / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw) ?? raw;
  const found: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push(at);
  return found;
}
