/** A picture of scale runs: load, backlog, and workers against what was asked for, side by side. */
import { openBrowser } from '../../test/dashboard/chromium.ts';
import type { ScalePoint } from './scale-run.ts';

export interface PlottedRun {
  readonly title: string;
  /** One line: the conditions. */
  readonly subtitle: string;
  readonly points: readonly ScalePoint[];
}

const COLUMN = 660;
const LEFT = 56;
const RIGHT = 20;
const PANEL_WIDTH = COLUMN - LEFT - RIGHT;
const PANELS = [
  { top: 98, height: 104 },
  { top: 254, height: 150 },
  { top: 456, height: 190 },
] as const;
const VOTES_TOP = 672;
const HEIGHT = 738;
const COLOURS = {
  ink: '#1f2937',
  soft: '#6b7280',
  grid: '#e5e7eb',
  load: '#94a3b8',
  backlog: '#b45309',
  workers: '#2563eb',
  target: '#111827',
  raw: '#f59e0b',
  up: '#15803d',
  down: '#b91c1c',
} as const;

/** Writes a PNG. */
export async function plotRuns(runs: readonly PlottedRun[], path: string): Promise<void> {
  const width = COLUMN * runs.length;
  const scales = sharedScales(runs);
  const columns = runs.map((run, index) => drawColumn(run, COLUMN * index, scales));
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="12">${columns.join('')}</svg>`;
  const browser = await openBrowser();
  try {
    const page = await browser.newPage({
      ...{ viewport: { width, height: HEIGHT }, deviceScaleFactor: 1.5 },
    });
    await page.setContent(`<body style="margin:0;background:#fff">${svg}</body>`);
    await page.screenshot({ path });
  } finally {
    await browser.close();
  }
}

interface Scales {
  readonly seconds: number;
  readonly load: number;
  readonly backlog: number;
  readonly workers: number;
}

/** The same for all, so that the columns compare. */
function sharedScales(runs: readonly PlottedRun[]): Scales {
  const most = (valuesOf: (run: PlottedRun) => readonly number[]): number =>
    Math.max(1, ...runs.flatMap(valuesOf));
  return {
    seconds: most(({ points }) => points.map(({ atMs }) => atMs / 1000)),
    load: most(({ points }) => startsPerSecond(points).map(({ perSecond }) => perSecond)),
    backlog: most(({ points }) => points.map(({ backlog }) => backlog)),
    workers: most(({ points }) => points.map(({ target, workers }) => Math.max(target, workers))),
  };
}

/** Of each second. */
function startsPerSecond(points: readonly ScalePoint[]) {
  const seconds = Math.ceil((points.at(-1)?.atMs ?? 0) / 1000);
  const startedBy = (second: number): number =>
    points.findLast(({ atMs }) => atMs <= second * 1000)?.started ?? 0;
  return Array.from({ length: seconds }, (_, second) => ({
    second,
    perSecond: startedBy(second + 1) - startedBy(second),
  }));
}

function drawColumn({ title, subtitle, points }: PlottedRun, left: number, scales: Scales): string {
  const x = (seconds: number): number => (seconds / scales.seconds) * PANEL_WIDTH;
  const [load, backlog, workers] = PANELS;
  const bars = startsPerSecond(points).map(({ second, perSecond }) => {
    const height = (perSecond / niceCeil(scales.load)) * load.height;
    return `<rect x="${fixed(x(second))}" y="${fixed(load.height - height)}" width="${fixed(Math.max(1, x(1) - 1))}" height="${fixed(height)}" fill="${COLOURS.load}"/>`;
  });
  const line = (valueOf: (point: ScalePoint) => number, max: number, height: number): string =>
    stepPath(
      points.map((point) => [x(point.atMs / 1000), height - (valueOf(point) / max) * height]),
    );
  const area = (path: string, height: number, colour: string): string =>
    `<path d="${path} V${height} H0 Z" fill="${colour}" opacity="0.18"/><path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`;
  const most = niceCeil(scales.workers);
  const rawTop = (point: ScalePoint): number => Math.min(point.rawTarget, most);
  return `<g transform="translate(${left} 0)">
    <text x="${LEFT}" y="30" font-size="17" font-weight="600" fill="${COLOURS.ink}">${title}</text>
    <text x="${LEFT}" y="50" fill="${COLOURS.soft}">${subtitle}</text>
    ${panel(load, 'orchestrations started a second', scales.load, scales, bars.join(''))}
    ${panel(
      backlog,
      'backlog: work items pending and active',
      scales.backlog,
      scales,
      area(
        line(({ backlog: each }) => each, niceCeil(scales.backlog), backlog.height),
        backlog.height,
        COLOURS.backlog,
      ),
    )}
    ${panel(
      workers,
      'worker processes',
      scales.workers,
      scales,
      area(
        line((point) => point.workers, most, workers.height),
        workers.height,
        COLOURS.workers,
      ) +
        stroke(line(rawTop, most, workers.height), COLOURS.raw, 'stroke-width="1"') +
        stroke(
          line(({ target }) => target, most, workers.height),
          COLOURS.target,
          'stroke-width="1.5" stroke-dasharray="4 3"',
        ),
    )}
    ${legend()}${votes(points, x)}
  </g>`;
}

function stroke(path: string, colour: string, rest: string): string {
  return `<path d="${path}" fill="none" stroke="${colour}" ${rest}/>`;
}

interface Panel {
  readonly top: number;
  readonly height: number;
}

function panel(
  { top, height }: Panel,
  title: string,
  max: number,
  { seconds }: Scales,
  body: string,
): string {
  const nice = niceCeil(max);
  const rows = [0, 0.5, 1].map((share) => {
    const y = fixed(height * (1 - share));
    return `<line x1="0" x2="${PANEL_WIDTH}" y1="${y}" y2="${y}" stroke="${COLOURS.grid}"/><text x="-8" y="${y}" dy="4" text-anchor="end" fill="${COLOURS.soft}">${nice * share}</text>`;
  });
  const step = seconds > 60 ? 20 : seconds > 20 ? 10 : 2;
  const ticks = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => {
    const second = index * step;
    const at = fixed((second / seconds) * PANEL_WIDTH);
    return `<line x1="${at}" x2="${at}" y1="${height}" y2="${height + 4}" stroke="${COLOURS.soft}"/><text x="${at}" y="${height + 17}" text-anchor="middle" fill="${COLOURS.soft}">${second} s</text>`;
  });
  return `<g transform="translate(${LEFT} ${top})"><text x="0" y="-10" font-weight="600" fill="${COLOURS.ink}">${title}</text>${rows.join('')}${body}${ticks.join('')}</g>`;
}

function legend(): string {
  const entries = [
    ['running', COLOURS.workers, ''],
    ['target', COLOURS.target, 'stroke-dasharray="4 3"'],
    ['what the moment asks for', COLOURS.raw, ''],
  ] as const;
  const drawn = entries.map(
    ([name, colour, rest], index) =>
      `<g transform="translate(${[0, 80, 150][index] ?? 0} 0)"><line x1="0" x2="18" y1="-4" y2="-4" stroke="${colour}" stroke-width="2" ${rest}/><text x="23" y="0" fill="${COLOURS.soft}">${name}</text></g>`,
  );
  return `<g transform="translate(${LEFT + PANEL_WIDTH - 330} ${PANELS[2].top - 10})">${drawn.join('')}</g>`;
}

/** What the controller was told: more, fewer; nothing is drawn for a vote of 0. */
function votes(points: readonly ScalePoint[], x: (seconds: number) => number): string {
  const marks = points.map(({ atMs, workers, target }, index) => {
    const before = points[index - 1]?.workers ?? workers;
    const vote = Math.sign(target - before);
    if (vote === 0) return '';
    const at = x(atMs / 1000);
    const [tip, base] = vote > 0 ? [0, 9] : [9, 0];
    return `<path d="M${fixed(at)} ${tip} L${fixed(at - 4)} ${base} H${fixed(at + 4)} Z" fill="${vote > 0 ? COLOURS.up : COLOURS.down}"/>`;
  });
  return `<g transform="translate(${LEFT} ${VOTES_TOP + 20})">${marks.join('')}<text x="0" y="30" fill="${COLOURS.soft}">votes: <tspan fill="${COLOURS.up}">▲ more</tspan> <tspan fill="${COLOURS.down}">▼ fewer</tspan></text></g>`;
}

/** A value holds until the next one. */
function stepPath(points: readonly (readonly [number, number])[]): string {
  return points
    .map(
      ([x, y], index) =>
        `${index === 0 ? 'M' : 'H'}${fixed(x)} ${index === 0 ? '' : 'V'}${fixed(y)}`,
    )
    .join(' ');
}

/** The next of 2, 4, 6, 8 and 10 times a power of ten, so that its half is a whole number too. */
function niceCeil(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(2, value)));
  return Math.ceil(value / (2 * power)) * 2 * power;
}

function fixed(value: number): string {
  return value.toFixed(1);
}
