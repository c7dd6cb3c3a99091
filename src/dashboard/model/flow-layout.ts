/**
 * Places boxes in layers, one after the other along the main axis, side by side along the other. The order within a
 * layer follows what the boxes hang on; ties keep the order that was given, so that a picture that grows stays as it is.
 */

export interface Box {
  readonly key: string;
  readonly layer: number;
  /** In px, along the main axis and across it. */
  readonly long: number;
  readonly wide: number;
}

export interface Link {
  readonly from: string;
  readonly to: string;
}

export interface Point {
  /** Along the main axis and across it. */
  readonly main: number;
  readonly cross: number;
}

export interface Layout {
  /** Corners of the boxes, by key. */
  readonly places: ReadonlyMap<string, Point>;
  /** For each link, in order: where it begins, bends and ends. */
  readonly paths: readonly (readonly Point[])[];
  readonly long: number;
  readonly wide: number;
}

const GAP = { main: 56, cross: 12, edge: 10 } as const;
const SWEEPS = 4;
/** Long links bend around boxes until there are so many bends. */
const BENDS_MAX = 3000;

/** A box, or the place where a long link passes a layer. */
interface Cell {
  readonly layer: number;
  readonly wide: number;
  readonly long: number;
  readonly near: { readonly before: Cell[]; readonly after: Cell[] };
  order: number;
  cross: number;
}

export function layOut(boxes: readonly Box[], links: readonly Link[]): Layout {
  const cells = new Map(boxes.map((box) => [box.key, cellOf(box)]));
  const layers: Cell[][] = [];
  const put = (cell: Cell): void => {
    (layers[cell.layer] ??= []).push(cell);
  };
  for (const cell of cells.values()) put(cell);
  const chains = links.map((link) => chainOf(link, { cells, put, layers }));
  const used = Object.values(layers);
  for (const layer of used) layer.forEach((cell, order) => (cell.order = order));
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) reorder(used, sweep % 2 === 0);
  for (const layer of used) stack(layer);
  for (const layer of used) settle(layer);
  return measured({ boxes, cells, used, chains });
}

function cellOf({ layer, wide, long }: Omit<Box, 'key'>): Cell {
  return { layer, wide, long, near: { before: [], after: [] }, order: 0, cross: 0 };
}

interface Chaining {
  readonly cells: ReadonlyMap<string, Cell>;
  readonly put: (cell: Cell) => void;
  readonly layers: readonly (readonly Cell[] | undefined)[];
}

/** The cells that a link passes, ends included. */
function chainOf({ from, to }: Link, { cells, put, layers }: Chaining): readonly Cell[] {
  const [first, last] = [cells.get(from), cells.get(to)];
  if (!first || !last) return [];
  const chain = [first];
  const bends = layers.reduce((sum, layer) => sum + (layer?.length ?? 0), -cells.size);
  if (bends < BENDS_MAX) {
    for (let layer = first.layer + 1; layer < last.layer; layer += 1) {
      if (!layers[layer]) continue;
      const bend = cellOf({ layer, wide: 2, long: 0 });
      put(bend);
      chain.push(bend);
    }
  }
  chain.push(last);
  chain.forEach((cell, index) => {
    const before = chain[index - 1];
    if (!before) return;
    cell.near.before.push(before);
    before.near.after.push(cell);
  });
  return chain;
}

function reorder(layers: readonly Cell[][], isForward: boolean): void {
  for (const layer of isForward ? layers : [...layers].reverse()) {
    const wish = new Map(
      layer.map((cell) => {
        const near = isForward ? cell.near.before : cell.near.after;
        const sum = near.reduce((all, each) => all + each.order, 0);
        return [cell, near.length === 0 ? cell.order : sum / near.length];
      }),
    );
    layer.sort((a, b) => (wish.get(a) ?? 0) - (wish.get(b) ?? 0));
    layer.forEach((cell, order) => (cell.order = order));
  }
}

function stack(layer: readonly Cell[]): void {
  let free = 0;
  for (const cell of layer) {
    cell.cross = free;
    free += cell.wide + GAP.cross;
  }
}

/** Moves each cell to the middle of what it hangs on, as far as those beside it let it: what comes later moves none. */
function settle(layer: readonly Cell[]): void {
  let [free, slack] = [-Infinity, 0];
  for (const cell of layer) {
    const { before } = cell.near;
    const wish = before.length === 0 ? cell.cross : medianOf(before) - cell.wide / 2;
    cell.cross = Math.max(wish, free);
    slack += wish - cell.cross;
    free = cell.cross + cell.wide + GAP.cross;
  }
  for (const cell of layer) cell.cross += slack / layer.length;
}

function medianOf(cells: readonly Cell[]): number {
  const middles = cells.map(({ cross, wide }) => cross + wide / 2).sort((a, b) => a - b);
  const half = Math.floor(middles.length / 2);
  const [low, high] = [middles[half - 1] ?? 0, middles[half] ?? 0];
  return middles.length % 2 === 1 ? high : (low + high) / 2;
}

interface Measuring {
  readonly boxes: readonly Box[];
  readonly cells: ReadonlyMap<string, Cell>;
  readonly used: readonly (readonly Cell[])[];
  readonly chains: readonly (readonly Cell[])[];
}

function measured({ boxes, cells, used, chains }: Measuring): Layout {
  const starts = new Map<number, { readonly at: number; readonly long: number }>();
  let at: number = GAP.edge;
  for (const layer of used) {
    const long = layer.reduce((most, cell) => Math.max(most, cell.long), 0);
    starts.set(layer[0]?.layer ?? 0, { at, long });
    at += long + GAP.main;
  }
  const all = used.flat();
  const least = all.reduce((low, { cross }) => Math.min(low, cross), Infinity);
  const most = all.reduce((high, { cross, wide }) => Math.max(high, cross + wide), -Infinity);
  const crossOf = (cell: Cell): number => Math.round(cell.cross - least + GAP.edge);
  const startOf = (cell: Cell): number => starts.get(cell.layer)?.at ?? 0;
  const places = new Map<string, Point>();
  for (const { key } of boxes) {
    const cell = cells.get(key);
    if (cell) places.set(key, { main: startOf(cell), cross: crossOf(cell) });
  }
  const paths = chains.map((chain) =>
    chain.flatMap((cell, index) => {
      const cross = crossOf(cell) + cell.wide / 2;
      const long = cell.long === 0 ? (starts.get(cell.layer)?.long ?? 0) : cell.long;
      const enters = { main: startOf(cell), cross };
      const leaves = { main: startOf(cell) + long, cross };
      if (index === 0) return [leaves];
      return index === chain.length - 1 ? [enters] : [enters, leaves];
    }),
  );
  return { places, paths, long: at - GAP.main + GAP.edge, wide: most - least + 2 * GAP.edge };
}
