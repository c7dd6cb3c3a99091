/**
 * The graph of a run: what each turn started, after what had arrived. Edges say "after", not "because": that is all
 * that history can prove.
 */
import type { Step, Story } from './story.ts';
import { stepLabel } from './steps.ts';
import { stateOf } from './story.ts';

export interface FlowNode {
  readonly key: string;
  readonly label: string;
  readonly state: string;
  readonly layer: number;
  readonly steps: readonly Step[];
  readonly isGroup: boolean;
  x: number;
  y: number;
}

export interface FlowEdge {
  readonly from: string;
  readonly to: string;
  readonly isBad: boolean;
}

export interface Flow {
  readonly nodes: readonly FlowNode[];
  readonly edges: readonly FlowEdge[];
  readonly width: number;
  readonly height: number;
  /** Steps that are drawn only as part of a group. */
  readonly isGrouped: boolean;
}

export const NODE = { width: 170, height: 34, gapX: 60, gapY: 12 } as const;

/** So many like steps in one turn, and more, are one node. */
const GROUP_MIN = 9;
/** Beyond so many nodes every name of a turn is one. */
const NODES_MAX = 300;

export function drawFlow(story: Story, open: ReadonlySet<string>): Flow {
  const fine = nodesOf(story, open, GROUP_MIN);
  const isMany = fine.length > NODES_MAX;
  const middle = (isMany ? nodesOf(story, new Set(), 2) : fine).slice(0, NODES_MAX);
  const start = pill('start', '▶ Start', 'Completed', 0);
  const lastLayer = Math.max(0, ...middle.map(({ layer }) => layer));
  const ended = pill('end', story.status ?? 'Running', story.status ?? 'Running', lastLayer + 1);
  const nodes = [start, ...middle, ended];
  const edges = edgesOf(story, nodes);
  place(nodes, edges);
  return {
    ...{ nodes, edges, isGrouped: isMany },
    width: Math.max(...nodes.map(({ x }) => x)) + NODE.width + 12,
    height: Math.max(...nodes.map(({ y }) => y)) + NODE.height + 12,
  };
}

function pill(key: string, label: string, state: string, layer: number): FlowNode {
  return { key, label, state, layer, steps: [], isGroup: false, x: 0, y: 0 };
}

function nodesOf(story: Story, open: ReadonlySet<string>, groupMin: number): FlowNode[] {
  const groups = new Map<string, Step[]>();
  for (const step of story.steps) {
    const key = `${step.tries[0]?.turn ?? 0} ${step.kind} ${step.name}`;
    const group = groups.get(key);
    if (group) group.push(step);
    else groups.set(key, [step]);
  }
  // Layers are turns in which something was started, not turns.
  const turns = [...new Set(story.steps.map(({ tries }) => tries[0]?.turn ?? 0))].sort(
    (a, b) => a - b,
  );
  const layers = new Map(turns.map((turn, index) => [turn, index + 1]));
  const nodes: FlowNode[] = [];
  for (const [key, steps] of groups) {
    const [first] = steps;
    if (!first) continue;
    const layer = layers.get(first.tries[0]?.turn ?? 0) ?? 1;
    if (steps.length >= groupMin && !open.has(key)) {
      const label = `${first.name} × ${steps.length}`;
      nodes.push({ key, label, layer, steps, state: groupState(steps), isGroup: true, x: 0, y: 0 });
      continue;
    }
    for (const step of steps) {
      const label = stepLabel(step);
      const one = { key: step.key, label, layer, steps: [step], state: stateOf(step) };
      nodes.push({ ...one, isGroup: false, x: 0, y: 0 });
    }
  }
  return nodes;
}

function groupState(steps: readonly Step[]): string {
  const states: readonly string[] = steps.map(stateOf);
  return ['Failed', 'Running'].find((state) => states.includes(state)) ?? 'Completed';
}

type ByTurn = ReadonlyMap<number, readonly FlowNode[]>;

/** Nodes by the turn in which something of them was started, and in which their end was known. */
function byTurn(nodes: readonly FlowNode[]): { readonly acting: ByTurn; readonly known: ByTurn } {
  const acting = new Map<number, FlowNode[]>();
  const known = new Map<number, FlowNode[]>();
  const add = (into: Map<number, FlowNode[]>, turn: number, node: FlowNode): void => {
    const list = into.get(turn);
    if (!list) into.set(turn, [node]);
    else if (!list.includes(node)) list.push(node);
  };
  for (const node of nodes) {
    for (const { kind, tries } of node.steps) {
      const first = tries[0];
      const end = tries.at(-1)?.endTurn;
      if (first && kind !== 'event') add(acting, first.turn, node);
      if (end !== undefined) add(known, end, node);
    }
  }
  return { acting, known };
}

/** From what a turn was given to what it started; what a turn left unused hangs on to the next one that acts. */
function edgesOf(story: Story, nodes: readonly FlowNode[]): FlowEdge[] {
  const edges = new Map<string, FlowEdge>();
  const link = (from: FlowNode, to: FlowNode, isBad = false): void => {
    if (from !== to) edges.set(`${from.key} ${to.key}`, { from: from.key, to: to.key, isBad });
  };
  const [start] = nodes;
  const end = nodes.at(-1);
  if (!start || !end) return [];
  const { acting, known } = byTurn(nodes);
  let waiting: FlowNode[] = [start];
  for (let turn = 0; turn < story.turns.length; turn += 1) {
    waiting.push(...(known.get(turn) ?? []));
    const acts = acting.get(turn) ?? [];
    for (const to of acts) for (const from of waiting) link(from, to);
    if (acts.length > 0) waiting = [];
  }
  for (const from of waiting.length > 0 ? waiting : leavesOf(nodes, edges)) {
    link(from, end, story.status === 'Failed' && from.state === 'Failed');
  }
  return [...edges.values()];
}

function leavesOf(
  nodes: readonly FlowNode[],
  edges: ReadonlyMap<string, FlowEdge>,
): readonly FlowNode[] {
  const sources = new Set([...edges.values()].map(({ from }) => from));
  return nodes.slice(0, -1).filter(({ key }) => !sources.has(key));
}

/** Layers from left to right; inside one, nodes stand near what they come from. */
function place(nodes: readonly FlowNode[], edges: readonly FlowEdge[]): void {
  const layers = new Map<number, FlowNode[]>();
  for (const node of nodes) layers.set(node.layer, [...(layers.get(node.layer) ?? []), node]);
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const into = new Map<string, string[]>();
  for (const { from, to } of edges) into.set(to, [...(into.get(to) ?? []), from]);
  for (const [layer, members] of [...layers].sort(([a], [b]) => a - b)) {
    const wish = (node: FlowNode): number => {
      const ys = (into.get(node.key) ?? []).map((key) => byKey.get(key)?.y ?? 0);
      return ys.length === 0 ? 0 : ys.reduce((sum, y) => sum + y, 0) / ys.length;
    };
    const wanted = members.map((node, index) => ({ node, index, at: wish(node) }));
    wanted.sort((a, b) => a.at - b.at || a.index - b.index);
    let free = 8;
    for (const { node, at } of wanted) {
      node.x = 8 + layer * (NODE.width + NODE.gapX);
      node.y = members.length === 1 ? Math.max(free, at) : free;
      free = node.y + NODE.height + NODE.gapY;
    }
  }
}
