/** One node of the graph: its shape tells its kind, words and a mark its state. */
import type { JSX } from 'preact';
import { NODE, type Flow, type FlowNode } from '../model/flow.ts';
import { duration, integer } from '../model/format.ts';
import { lasted, stateWord, stepIcon, stepWord } from '../model/steps.ts';
import { stateOf } from '../model/story.ts';

export interface NodeProps {
  readonly node: FlowNode;
  readonly now: number;
  readonly selected: string | undefined;
  readonly onChoose: (node: FlowNode) => void;
  /** Opens and folds a sub-orchestration. */
  readonly onToggle: (node: FlowNode) => void;
}

const MARKS: Readonly<Record<string, string>> = {
  ...{ Completed: '✓', Failed: '✕', Running: '●', Terminated: '■' },
  ...{ cancelled: '⊘', Canceled: '⊘', unused: '≀' },
};

/** Characters that fit into a node. */
const FITS = 23;

function cut(text: string, most = FITS): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function outline({ kind, width: w, height: h }: FlowNode): string {
  switch (kind) {
    case 'timer':
      return `M10 0H${w - 10}L${w} ${h / 2}L${w - 10} ${h}H10L0 ${h / 2}z`;
    case 'call':
    case 'signal':
    case 'sent':
    case 'lock':
      return `M8 0H${w - 8}L${w} 8V${h - 8}L${w - 8} ${h}H8L0 ${h - 8}V8z`;
    case 'event':
      return `M0 0H${w}V${h}H0zM0 0L${w / 2} 5L${w} 0`;
    default: {
      const r = kind === 'pill' ? h / 2 : 6;
      const [a, b] = [w - 2 * r, h - 2 * r];
      const arc = (x: number, y: number): string => `a${r} ${r} 0 0 1 ${x} ${y}`;
      return `M${r} 0h${a}${arc(r, r)}v${b}${arc(-r, r)}h${-a}${arc(-r, -r)}v${-b}${arc(r, -r)}z`;
    }
  }
}

function wordsOf({ kind, steps, state }: FlowNode, now: number): string {
  const [step] = steps;
  if (!step) return '';
  if (kind === 'group' || kind === 'more' || kind === 'loop') {
    const count = (wanted: string): number =>
      steps.filter((each) => stateOf(each) === wanted).length;
    return ['Failed', 'Running', 'Completed']
      .map((wanted) => ({ wanted, n: count(wanted) }))
      .filter(({ n }) => n > 0)
      .map(({ wanted, n }) => `${MARKS[wanted] ?? ''} ${integer(n)}`)
      .join('   ');
  }
  const isPoint = kind === 'event' || kind === 'signal' || kind === 'sent';
  if (isPoint) return stateWord(step);
  const word = kind === 'timer' || kind === 'lock' ? stateWord(step).split(';')[0] : '';
  return `${MARKS[state] ?? ''} ${word ?? ''} ${duration(lasted(step, now))}`.replace('  ', ' ');
}

function shownLabel({ kind, label }: FlowNode): string {
  return cut(label, kind === 'child' ? FITS - 4 : FITS);
}

/** Begins with what is written in the node. */
function nameOf(node: FlowNode, now: number): string {
  const [step] = node.steps;
  if (!step) return node.label;
  const kind = node.kind === 'timer' || node.kind === 'loop' ? '' : `${stepWord(step.kind)} `;
  const [shown, words] = [shownLabel(node), wordsOf(node, now)];
  const whole = shown === node.label ? '' : `, ${node.label}`;
  return `${kind}${shown} ${words}${whole}, ${node.state.toLowerCase()}`;
}

export function Node(props: NodeProps): JSX.Element {
  const { node, now, selected, onChoose, onToggle } = props;
  const { kind, inside } = node;
  const isPill = kind === 'pill';
  const press = (act: () => void) => (event: KeyboardEvent) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    act();
  };
  const button = (label: string, act: () => void) => ({
    ...{ role: 'button' as const, tabIndex: 0, 'aria-label': label },
    ...{ onClick: act, onKeyDown: press(act) },
  });
  const isSelected = selected !== undefined && node.steps.some(({ key }) => key === selected);
  return (
    <g
      class={`flow-node${isSelected ? ' selected' : ''}`}
      transform={`translate(${node.x} ${node.y})`}
    >
      <g {...(isPill ? {} : button(nameOf(node, now), () => onChoose(node)))}>
        <title>{nameOf(node, now)}</title>
        <Shape {...props} />
      </g>
      {kind === 'child' && (
        <g
          class="flow-toggle"
          transform={`translate(${node.width - 26} 4)`}
          {...button(`${inside === undefined ? 'Open' : 'Fold'} ${node.label}`, () =>
            onToggle(node),
          )}
        >
          <rect width="22" height="22" rx="4" />
          <path d={inside === undefined ? 'M7 11h8M11 7v8' : 'M7 11h8'} />
        </g>
      )}
      {typeof inside === 'object' && (
        <g transform={`translate(${NODE.room} ${NODE.title})`}>
          <Graph {...props} flow={inside} onChoose={() => onChoose(node)} />
        </g>
      )}
    </g>
  );
}

/** The outline, and what stands in it. */
function Shape({ node, now }: NodeProps): JSX.Element {
  const { kind, state, label, width, height, inside, steps } = node;
  const path = outline(node);
  const isStacked = kind === 'group' || kind === 'loop' || kind === 'more';
  if (kind === 'pill') {
    return (
      <>
        <path d={path} class={`edge-${state}`} />
        <text x={width / 2} y={height / 2 + 4} text-anchor="middle">
          {node.key === 'start' ? '' : `${MARKS[state] ?? ''} `}
          {cut(label)}
        </text>
      </>
    );
  }
  const icon = steps[0] && stepIcon(steps[0].kind);
  return (
    <>
      {isStacked && <path d={path} transform="translate(4 4)" class={`edge-${state}`} />}
      <path d={path} class={`edge-${state}`} />
      {kind === 'child' && (
        <rect {...{ x: 3, y: 3, width: width - 6, height: height - 6 }} rx="4" class="flow-inner" />
      )}
      <g class="step-icon" transform="translate(12 5)">
        <path d={icon} />
      </g>
      <text x="32" y="16">
        {shownLabel(node)}
      </text>
      {inside === undefined && (
        <text x="32" y="31" class={`flow-words t-${state}`}>
          {` ${wordsOf(node, now)}`}
        </text>
      )}
      {typeof inside === 'string' && (
        <text x="12" y="52" class="flow-words">
          {cut(inside, 30)}
        </text>
      )}
      {isStacked && <StateBar node={node} />}
    </>
  );
}

/** How many of a group are in which state. */
function StateBar({ node: { steps, width, height } }: { readonly node: FlowNode }): JSX.Element {
  let x = 6;
  const room = width - 12;
  const groups = Map.groupBy(steps, stateOf);
  const order = [...groups].sort(([a], [b]) => Number(b === 'Failed') - Number(a === 'Failed'));
  return (
    <>
      {order.map(([state, members]) => {
        const long = Math.max(2, (members.length / steps.length) * room);
        const bar = <rect x={x} y={height - 5} width={long} height="3" class={`strip-${state}`} />;
        x += long;
        return bar;
      })}
    </>
  );
}

export interface GraphProps extends Omit<NodeProps, 'node'> {
  readonly flow: Flow;
}

export function Graph({ flow, ...rest }: GraphProps): JSX.Element {
  return (
    <>
      {flow.edges.map(({ from, to, isBad, isLoose, path }) => (
        <path
          key={`${from}\n${to}`}
          class={`flow-edge${isBad ? ' bad' : ''}${isLoose ? ' loose' : ''}`}
          d={path}
          marker-end={isBad ? 'url(#arrow-bad)' : 'url(#arrow)'}
        />
      ))}
      {flow.nodes.map((node) => (
        <Node key={node.key} {...rest} node={node} />
      ))}
    </>
  );
}
