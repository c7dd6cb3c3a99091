/** What began after what: the steps of a run as a graph. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { drawFlow, type Flow as Graphed, type FlowNode } from '../model/flow.ts';
import { NODE_PAGE } from '../model/flow-nodes.ts';
import { integer } from '../model/format.ts';
import type { Step, Story } from '../model/story.ts';
import { giveFile } from '../parts/download.ts';
import { svgText } from './flow-export.ts';
import { Graph } from './flow-node.tsx';
import { useFlowView, useHeld, type FlowView } from './flow-view.ts';
import { StepTable } from './step-table.tsx';
import { useMovingNow } from './timeline-view.ts';
import { useChildren } from './use-children.ts';

/** A graph with more nodes than this has a small picture of itself. */
const MAP_MIN = 100;
/** Below this width it goes from top to bottom. */
const NARROW = 720;

export interface FlowProps {
  readonly hub: string;
  readonly id: string;
  readonly story: Story;
  readonly selected: string | undefined;
  readonly onSelect: (step: Step) => void;
}

export function Flow({ hub, id, story, selected, onSelect }: FlowProps): JSX.Element {
  const [open, setOpen] = useState<ReadonlyMap<string, number>>(new Map());
  const [openIds, setOpenIds] = useState<readonly string[]>([]);
  const [isTable, setTable] = useState(false);
  const isDown = useIsNarrow();
  const children = useChildren(hub, openIds);
  const now = useMovingNow(story.endAt === undefined, false);
  const drawn = useMemo(
    () => drawFlow(story, { open, children, isDown }),
    [story, open, children, isDown],
  );
  const box = useRef<HTMLDivElement>(null);
  const view = useFlowView(box);
  const openKey = `${isDown} ${children.size} ${[...open].join()}`;
  const { flow, isOld, rearrange } = useHeld(box, drawn, openKey);
  const change = (key: string, count: number | undefined): void => {
    const next = new Map(open);
    if (count === undefined) next.delete(key);
    else next.set(key, count);
    setOpen(next);
  };
  const choose = (node: FlowNode): void => {
    const [step] = node.steps;
    const key = node.key.replace(/ more$/, '');
    if (node.kind === 'group' || node.kind === 'loop') change(key, NODE_PAGE);
    else if (node.kind === 'more') change(key, (open.get(key) ?? 0) + NODE_PAGE);
    else if (step) onSelect(step);
  };
  const toggle = (node: FlowNode): void => {
    const target = node.steps[0]?.target;
    if (target !== undefined && !openIds.includes(target)) setOpenIds([...openIds, target]);
    change(node.key, node.inside === undefined ? 1 : undefined);
  };
  const save = (): void => {
    const svg = box.current?.querySelector('svg');
    if (!box.current || !svg) return;
    const text = svgText(svg, getComputedStyle(box.current).backgroundColor);
    giveFile(new Blob([text], { type: 'image/svg+xml' }), `${id}.svg`);
  };
  return (
    <section aria-label="Flow">
      <div class="actions">
        {!isTable && <ViewButtons {...{ view, flow, save }} />}
        {open.size > 0 && (
          <button type="button" onClick={() => setOpen(new Map())}>
            Fold all
          </button>
        )}
        {isOld && (
          <button type="button" class="primary" onClick={rearrange}>
            Re-arrange: there is more
          </button>
        )}
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          {isTable ? 'Show as picture' : 'Show as table'}
        </button>
        <span class="meta">An edge says “after”, not “because”.</span>
      </div>
      {flow.isByName && (
        <p class="banner warn">
          This run has {integer(story.steps.length)} steps. Showing them grouped by name; use the
          Timeline for single ones.
        </p>
      )}
      {isTable && <StepTable {...{ story, now, onSelect }} steps={story.steps} />}
      <div class="flow-frame" hidden={isTable}>
        <div
          class="flow-wrap"
          ref={box}
          tabIndex={0}
          role="group"
          aria-label="Graph of steps"
          onKeyDown={view.onKeyDown}
        >
          <svg
            width={flow.width * view.zoom}
            height={flow.height * view.zoom}
            viewBox={`0 0 ${flow.width} ${flow.height}`}
          >
            <Arrows />
            <Graph {...{ flow, now, selected }} onChoose={choose} onToggle={toggle} />
          </svg>
        </div>
        {flow.nodes.length > MAP_MIN && <Minimap {...{ flow, view }} />}
      </div>
    </section>
  );
}

function useIsNarrow(): boolean {
  const narrow = useMemo(() => matchMedia(`(max-width: ${NARROW}px)`), []);
  const [isNarrow, setNarrow] = useState(narrow.matches);
  useEffect(() => {
    const look = (): void => setNarrow(narrow.matches);
    narrow.addEventListener('change', look);
    return () => narrow.removeEventListener('change', look);
  }, [narrow]);
  return isNarrow;
}

interface ViewProps {
  readonly view: FlowView;
  readonly flow: Graphed;
}

function ViewButtons({ view, flow, save }: ViewProps & { readonly save: () => void }): JSX.Element {
  return (
    <>
      <span class="joined">
        <button type="button" aria-label="Zoom out" onClick={() => view.zoomBy(0.8)}>
          −
        </button>
        <button type="button" aria-label="Zoom in" onClick={() => view.zoomBy(1.25)}>
          +
        </button>
        <button type="button" onClick={() => view.fit(flow)}>
          Fit
        </button>
      </span>
      <button type="button" onClick={save}>
        Export SVG
      </button>
    </>
  );
}

function Arrows(): JSX.Element {
  return (
    <defs>
      {['arrow', 'arrow-bad'].map((id) => (
        <marker
          key={id}
          {...{ id, viewBox: '0 0 8 8', refX: 7, refY: 4, orient: 'auto' }}
          {...{ markerWidth: 7, markerHeight: 7, markerUnits: 'userSpaceOnUse' }}
        >
          <path d="M0 0.5L8 4L0 7.5z" class={id} />
        </marker>
      ))}
    </defs>
  );
}

const MAP = { width: 180, height: 110 } as const;

/** The whole graph in small; a press goes there. */
function Minimap({ flow, view }: ViewProps): JSX.Element {
  const scale = Math.min(MAP.width / flow.width, MAP.height / flow.height);
  const onClick = (event: MouseEvent): void => {
    if (!(event.currentTarget instanceof Element)) return;
    const { left, top } = event.currentTarget.getBoundingClientRect();
    view.goTo((event.clientX - left) / scale, (event.clientY - top) / scale);
  };
  return (
    <svg
      class="minimap"
      width={flow.width * scale}
      height={flow.height * scale}
      viewBox={`0 0 ${flow.width} ${flow.height}`}
      aria-hidden="true"
      onClick={onClick}
    >
      {flow.nodes.map(({ key, x, y, width, height, state }) => (
        <rect key={key} {...{ x, y, width, height }} class={`strip-${state}`} />
      ))}
      <rect {...view.seen} class="minimap-seen" stroke-width={2 / scale} />
    </svg>
  );
}
