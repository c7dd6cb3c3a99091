/** What a graph of a run is made of: steps, groups of like ones, and loops that are folded. */
import { worstFirst } from './lanes.ts';
import { stepLabel } from './steps.ts';
import { stateOf, type Step, type Story } from './story.ts';

export type NodeKind = Step['kind'] | 'pill' | 'group' | 'more' | 'loop';

export interface NodeDraft {
  readonly key: string;
  readonly kind: NodeKind;
  readonly label: string;
  readonly state: string;
  readonly layer: number;
  readonly steps: readonly Step[];
}

/** More like steps than this in one layer are one node. */
const GROUP_MIN = 9;
/** Nodes that an open group shows at first, and adds at a time; failed ones first. */
export const NODE_PAGE = 24;
/** A pattern that comes so often in a row is folded; so long may one be. */
const LOOP_MIN = 20;
const LOOP_LAYERS = 4;
/** Beyond so many nodes each name is one. */
const NODES_MAX = 300;

/** Open groups and loops by key; the number is how many nodes a group shows. */
export type OpenNodes = ReadonlyMap<string, number>;

interface Layer {
  readonly steps: readonly Step[];
  /** How often what is folded in here was repeated; 0: nothing is folded. */
  readonly repeats: number;
}

/** `isByName`: there are too many to show them turn by turn. */
export function nodesOf(
  story: Story,
  open: OpenNodes,
): { readonly nodes: readonly NodeDraft[]; readonly isByName: boolean } {
  const nodes: NodeDraft[] = [];
  foldLoops(layersOf(story.steps), open).forEach((layer, index) => {
    if (layer.repeats > 0) nodes.push(loopOf(layer, index + 1));
    else for (const steps of alike(layer.steps)) addNodes(nodes, { steps, layer: index + 1, open });
  });
  if (nodes.length <= NODES_MAX) return { nodes, isByName: false };
  const byName = alike(story.steps).slice(0, NODES_MAX);
  return { nodes: byName.map((steps, index) => nodeOf(steps, index + 1)), isByName: true };
}

/** A layer for each turn in which something began; an event stands before what the turn that took it began. */
function layersOf(steps: readonly Step[]): readonly Layer[] {
  const begun = steps
    .filter(({ kind }) => kind !== 'event')
    .map(({ tries }) => tries[0]?.turn ?? 0);
  const acting = [...new Set(begun)].sort((a, b) => a - b);
  const turnOf = ({ kind, tries }: Step): number => {
    const turn = tries[0]?.turn ?? 0;
    return kind === 'event' ? (acting.findLast((each) => each < turn) ?? -1) : turn;
  };
  const turns = Map.groupBy(steps, turnOf);
  return [...turns]
    .sort(([a], [b]) => a - b)
    .map(([, members]) => ({ steps: members, repeats: 0 }));
}

function signOf(layer: Layer | undefined): string | undefined {
  return layer?.steps
    .map(({ kind, name }) => `${kind} ${name}`)
    .sort()
    .join('\n');
}

/** Long runs of one pattern keep their first and last round; what is between becomes one layer. */
function foldLoops(layers: readonly Layer[], open: OpenNodes): readonly Layer[] {
  const signs = layers.map(signOf);
  const folded: Layer[] = [];
  for (let at = 0; at < layers.length;) {
    const { period, rounds } = longestLoop(signs, at);
    const middle = layers.slice(at + period, at + period * (rounds - 1));
    const steps = middle.flatMap((layer) => layer.steps);
    const count = period * rounds;
    if (rounds < LOOP_MIN || open.has(loopKey(steps))) {
      folded.push(...layers.slice(at, at + count));
      at += count;
      continue;
    }
    folded.push(...layers.slice(at, at + period), { steps, repeats: rounds - 2 });
    at += count;
    folded.push(...layers.slice(at - period, at));
  }
  return folded;
}

function longestLoop(
  signs: readonly (string | undefined)[],
  at: number,
): { readonly period: number; readonly rounds: number } {
  for (let period = 1; period <= LOOP_LAYERS; period += 1) {
    let end = at + period;
    while (end < signs.length && signs[end] === signs[end - period]) end += 1;
    const rounds = Math.floor((end - at) / period);
    if (rounds >= LOOP_MIN) return { period, rounds };
  }
  return { period: 1, rounds: 1 };
}

function loopKey(steps: readonly Step[]): string {
  return `loop ${steps[0]?.key ?? ''}`;
}

function loopOf({ steps, repeats }: Layer, layer: number): NodeDraft {
  const names = [...new Set(steps.map(({ name, kind }) => (name === '' ? kind : name)))];
  const label = `⟳ × ${repeats} ${names.join(', ')}`;
  return { key: loopKey(steps), kind: 'loop', label, layer, steps, state: stateOfAll(steps) };
}

function alike(steps: readonly Step[]): readonly (readonly Step[])[] {
  return [...Map.groupBy(steps, ({ kind, name }) => `${kind} ${name}`).values()];
}

interface Adding {
  readonly steps: readonly Step[];
  readonly layer: number;
  readonly open: OpenNodes;
}

function addNodes(nodes: NodeDraft[], { steps, layer, open }: Adding): void {
  if (steps.length < GROUP_MIN) {
    nodes.push(...steps.map((step) => nodeOf([step], layer)));
    return;
  }
  const group = nodeOf(steps, layer);
  const count = open.get(group.key);
  if (count === undefined) {
    nodes.push(group);
    return;
  }
  const sorted = worstFirst(steps);
  nodes.push(...sorted.slice(0, count).map((step) => nodeOf([step], layer)));
  const rest = sorted.slice(count);
  if (rest.length === 0) return;
  const label = `${rest.length} more`;
  nodes.push({ ...group, key: `${group.key} more`, kind: 'more', label, steps: rest });
}

function nodeOf(steps: readonly Step[], layer: number): NodeDraft {
  const [first] = steps;
  const state = stateOfAll(steps);
  if (first && steps.length === 1) {
    return { key: first.key, kind: first.kind, label: stepLabel(first), state, layer, steps };
  }
  const name = first?.name === '' ? first.kind : (first?.name ?? '');
  const label = `${name} × ${steps.length.toLocaleString('en')}`;
  return { key: `group ${first?.key ?? ''}`, kind: 'group', label, state, layer, steps };
}

/** The one that matters most. */
function stateOfAll(steps: readonly Step[]): string {
  const states = new Set<string>(steps.map(stateOf));
  return (
    ['Failed', 'Running', 'Completed'].find((state) => states.has(state)) ?? [...states][0] ?? ''
  );
}
