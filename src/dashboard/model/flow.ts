/**
 * The graph of a run: what each turn started, after what had arrived. Edges say "after", not "because": that is all
 * that history can prove.
 */
import { layOut, type Point } from './flow-layout.ts';
import { nodesOf, type NodeDraft, type OpenNodes } from './flow-nodes.ts';
import type { Story } from './story.ts';

export interface FlowNode extends NodeDraft {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Its own graph, when a sub-orchestration is open; or why there is none. */
  readonly inside: Flow | string | undefined;
}

export interface FlowEdge {
  readonly from: string;
  readonly to: string;
  /** On the way to the failure that ended the run. */
  readonly isBad: boolean;
  /** Nobody waits for what it leads to. */
  readonly isLoose: boolean;
  /** Of an SVG path. */
  readonly path: string;
}

export interface Flow {
  readonly nodes: readonly FlowNode[];
  readonly edges: readonly FlowEdge[];
  readonly width: number;
  readonly height: number;
  /** There are too many steps to show them turn by turn. */
  readonly isByName: boolean;
}

export const NODE = { width: 184, height: 40, pill: 30, title: 30, room: 10 } as const;

export interface FlowOptions {
  readonly open: OpenNodes;
  /** What is known of sub-orchestrations by their id. */
  readonly children: ReadonlyMap<string, Story | string>;
  /** From top to bottom instead of from left to right. */
  readonly isDown: boolean;
}

export function drawFlow(story: Story, options: FlowOptions): Flow {
  const { nodes: middle, isByName } = nodesOf(story, options.open);
  const last = middle.reduce((most, { layer }) => Math.max(most, layer), 0);
  const status = story.status ?? 'Running';
  const drafts = [
    pill('start', 'Start', 'Completed', 0),
    ...middle,
    pill('end', status, status, last + 1),
  ];
  const sized = drafts.map((draft) => sizedNode(draft, options));
  const edges = edgesOf(story, drafts);
  const { isDown } = options;
  const boxes = sized.map(({ draft: { key, layer }, width, height }) => ({
    ...{ key, layer },
    long: isDown ? height : width,
    wide: isDown ? width : height,
  }));
  const { places, paths, long, wide } = layOut(boxes, edges);
  const nodes = sized.map(({ draft, width, height, inside }): FlowNode => {
    const { main, cross } = places.get(draft.key) ?? { main: 0, cross: 0 };
    const [x, y] = isDown ? [cross, main] : [main, cross];
    return { ...draft, x, y, width, height, inside };
  });
  return {
    nodes,
    edges: edges.map((edge, index) => ({ ...edge, path: curve(paths[index] ?? [], isDown) })),
    ...{ width: isDown ? wide : long, height: isDown ? long : wide, isByName },
  };
}

function pill(key: string, label: string, state: string, layer: number): NodeDraft {
  return { key, kind: 'pill', label, state, layer, steps: [] };
}

type Sized = Pick<FlowNode, 'width' | 'height' | 'inside'> & { readonly draft: NodeDraft };

function sizedNode(draft: NodeDraft, options: FlowOptions): Sized {
  if (draft.kind === 'pill') return { draft, width: 110, height: NODE.pill, inside: undefined };
  const plain = { draft, width: NODE.width, height: NODE.height, inside: undefined };
  const [step] = draft.steps;
  const target = draft.kind === 'child' ? step?.target : undefined;
  if (target === undefined || !options.open.has(draft.key)) return plain;
  const child = options.children.get(target) ?? 'Loading…';
  if (typeof child === 'string') return { ...plain, height: NODE.height * 2, inside: child };
  // One level: what lies deeper has a page of its own.
  const inside = drawFlow(child, { ...options, open: new Map() });
  const width = Math.max(NODE.width, inside.width + 2 * NODE.room);
  return { draft, width, height: inside.height + NODE.title + NODE.room, inside };
}

function curve(points: readonly Point[], isDown: boolean): string {
  const at = ({ main, cross }: Point): string => (isDown ? `${cross} ${main}` : `${main} ${cross}`);
  const [first, ...others] = points;
  if (!first) return '';
  let path = `M${at(first)}`;
  let before = first;
  for (const point of others) {
    const middle = (before.main + point.main) / 2;
    const bends = `${at({ main: middle, cross: before.cross })} ${at({ main: middle, cross: point.cross })}`;
    path += before.cross === point.cross ? `L${at(point)}` : `C${bends} ${at(point)}`;
    before = point;
  }
  return path;
}

type Edge = Omit<FlowEdge, 'path'>;
type ByTurn = ReadonlyMap<number, readonly NodeDraft[]>;

/** Nodes by the turn in which something of them was started, and in which their end was known. */
function byTurn(nodes: readonly NodeDraft[]): { readonly acting: ByTurn; readonly known: ByTurn } {
  const acting = new Map<number, Set<NodeDraft>>();
  const known = new Map<number, Set<NodeDraft>>();
  const add = (into: Map<number, Set<NodeDraft>>, turn: number, node: NodeDraft): void => {
    const set = into.get(turn) ?? new Set();
    into.set(turn, set.add(node));
  };
  for (const node of nodes) {
    for (const { kind, tries } of node.steps) {
      const first = tries[0];
      const end = tries.at(-1)?.endTurn;
      if (first && kind !== 'event') add(acting, first.turn, node);
      if (end !== undefined) add(known, end, node);
    }
  }
  const listed = (map: Map<number, Set<NodeDraft>>): ByTurn =>
    new Map([...map].map(([turn, set]) => [turn, [...set]]));
  return { acting: listed(acting), known: listed(known) };
}

/** Nobody hears of its end. */
function isSent({ kind }: NodeDraft): boolean {
  return kind === 'signal' || kind === 'sent';
}

/** From what a turn was given to what it started; what a turn left unused hangs on to the next one that acts. */
function edgesOf(story: Story, nodes: readonly NodeDraft[]): readonly Edge[] {
  const edges = new Map<string, { from: string; to: string; isBad: boolean; isLoose: boolean }>();
  const link = (from: NodeDraft, to: NodeDraft): void => {
    // A name that stands for many steps may lie before and after another one: only one way is drawn.
    if (from.layer >= to.layer) return;
    const isLoose = isSent(to);
    edges.set(`${from.key}\n${to.key}`, { from: from.key, to: to.key, isBad: false, isLoose });
  };
  const [start] = nodes;
  const end = nodes.at(-1);
  if (!start || !end) return [];
  const { acting, known } = byTurn(nodes);
  let waiting: NodeDraft[] = [start];
  for (let turn = 0; turn < story.turns.length; turn += 1) {
    waiting.push(...(known.get(turn) ?? []));
    const acts = acting.get(turn) ?? [];
    for (const to of acts) for (const from of waiting) link(from, to);
    if (!acts.every(isSent)) waiting = [];
  }
  const sources = new Set([...edges.values()].map(({ from }) => from));
  const leaves = nodes.slice(0, -1).filter((node) => !sources.has(node.key) && !isSent(node));
  const last = waiting.length > 0 ? waiting : leaves;
  for (const from of last) link(from, end);
  const targets = new Set([...edges.values()].map(({ to }) => to));
  for (const node of nodes) if (!targets.has(node.key) && node.kind !== 'event') link(start, node);
  if (story.status === 'Failed') markBad(nodes, { last, edges: [...edges.values()] });
  return [...edges.values()];
}

interface Marking {
  readonly last: readonly NodeDraft[];
  readonly edges: { from: string; to: string; isBad: boolean }[];
}

/** Back from the failure that the last turn learnt of, each time along what was known last. */
function markBad(nodes: readonly NodeDraft[], { last, edges }: Marking): void {
  const endOf = ({ steps }: NodeDraft): number =>
    steps.reduce((most, { tries }) => Math.max(most, tries.at(-1)?.endAt ?? 0), 0);
  const latest = (list: readonly NodeDraft[]): NodeDraft | undefined =>
    list.reduce<NodeDraft | undefined>(
      (best, node) => (best && endOf(best) >= endOf(node) ? best : node),
      undefined,
    );
  let from = latest(last.filter(({ state }) => state === 'Failed'));
  let to = nodes.at(-1);
  while (from && to) {
    const [source, target] = [from.key, to.key];
    const edge = edges.find((each) => each.from === source && each.to === target);
    if (edge) edge.isBad = true;
    to = from;
    const sources = new Set(edges.filter((each) => each.to === source).map((each) => each.from));
    from = latest(nodes.filter(({ key }) => sources.has(key)));
  }
}
