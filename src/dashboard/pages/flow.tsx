import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { drawFlow, NODE, type FlowNode } from '../model/flow.ts';
import { instanceHref } from '../model/routes.ts';
import { stateOf, type Step, type Story } from '../model/story.ts';
import { navigate } from '../navigation.ts';

export interface FlowProps {
  readonly hub: string;
  readonly story: Story;
  readonly onSelect: (step: Step) => void;
}

export function Flow({ hub, story, onSelect }: FlowProps): JSX.Element {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [zoom, setZoom] = useState(1);
  const flow = useMemo(() => drawFlow(story, open), [story, open]);
  const byKey = new Map(flow.nodes.map((node) => [node.key, node]));
  const choose = (node: FlowNode): void => {
    const [step] = node.steps;
    if (node.isGroup) setOpen(new Set([...open, node.key]));
    else if (step?.kind === 'child' && step.target !== undefined) {
      navigate(instanceHref(hub, step.target, 'flow'));
    } else if (step) onSelect(step);
  };
  return (
    <section aria-label="Flow">
      <div class="actions">
        <button
          type="button"
          aria-label="Zoom in"
          onClick={() => setZoom(Math.min(2, zoom * 1.25))}
        >
          +
        </button>
        <button
          type="button"
          aria-label="Zoom out"
          onClick={() => setZoom(Math.max(0.2, zoom / 1.25))}
        >
          −
        </button>
        {open.size > 0 && (
          <button type="button" onClick={() => setOpen(new Set())}>
            Fold groups
          </button>
        )}
        <span class="meta">
          An edge says “after”, not “because”. Sub-orchestrations open on a click.
          {flow.isGrouped && ` This run has ${story.steps.length} steps: shown grouped by name.`}
        </span>
      </div>
      <div class="flow-wrap" tabIndex={0} role="group" aria-label="Graph of steps">
        <svg
          width={flow.width * zoom}
          height={flow.height * zoom}
          viewBox={`0 0 ${flow.width} ${flow.height}`}
        >
          {flow.edges.map(({ from, to, isBad }) => {
            const a = byKey.get(from);
            const b = byKey.get(to);
            if (!a || !b) return null;
            return <path class={`flow-edge${isBad ? ' bad' : ''}`} d={curve(a, b)} />;
          })}
          {flow.nodes.map((node) => (
            <Node key={node.key} node={node} onChoose={() => choose(node)} />
          ))}
        </svg>
      </div>
    </section>
  );
}

function curve(a: FlowNode, b: FlowNode): string {
  const x1 = a.x + NODE.width;
  const y1 = a.y + NODE.height / 2;
  const y2 = b.y + NODE.height / 2;
  const bend = Math.max(20, (b.x - x1) / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${b.x - bend} ${y2} ${b.x} ${y2}`;
}

function Node({ node, onChoose }: { readonly node: FlowNode; readonly onChoose: () => void }) {
  const isPill = node.steps.length === 0;
  const text = node.label.length > 25 ? `${node.label.slice(0, 24)}…` : node.label;
  const failed = node.steps.filter((step) => stateOf(step) === 'Failed').length;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    onChoose();
  };
  const name = `${node.label}, ${node.state}${node.isGroup && failed > 0 ? `, ${failed} failed` : ''}`;
  const common = {
    class: 'flow-node',
    transform: `translate(${node.x} ${node.y})`,
  };
  const shape = (
    <>
      <title>{name}</title>
      {node.isGroup && (
        <rect
          x="4"
          y="4"
          width={NODE.width}
          height={NODE.height}
          rx="6"
          class={`edge-${node.state}`}
        />
      )}
      <rect
        width={NODE.width}
        height={NODE.height}
        rx={isPill ? 17 : 6}
        class={`edge-${node.state}`}
      />
      {node.steps[0]?.kind === 'child' && (
        <rect
          x="3"
          y="3"
          width={NODE.width - 6}
          height={NODE.height - 6}
          rx="4"
          class={`edge-${node.state}`}
        />
      )}
      <text x="10" y={NODE.height / 2 + 4}>
        {text}
      </text>
    </>
  );
  if (isPill) return <g {...common}>{shape}</g>;
  return (
    <g
      {...common}
      role="button"
      tabIndex={0}
      aria-label={name}
      onClick={onChoose}
      onKeyDown={onKeyDown}
    >
      {shape}
    </g>
  );
}
