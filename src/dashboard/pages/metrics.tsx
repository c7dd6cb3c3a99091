/** The hub's numbers over time; each chart has its numbers as a table too. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { MetricsJson } from '../../server/http/api/contract.ts';
import { apiPath } from '../model/routes.ts';
import { shortTime } from '../model/format.ts';
import { isDark, timeZoneMode } from '../habits.ts';
import { Empty, ProblemCard } from '../parts/basics.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { useData } from '../parts/use-data.ts';
import './metrics.css';

interface ChartSpec {
  readonly title: string;
  /** Names of series in the answer, with their labels. */
  readonly series: readonly (readonly [string, string])[];
}

const CHARTS: readonly ChartSpec[] = [
  {
    title: 'Queued work items',
    series: [
      ['pending.orchestration', 'orchestrations'],
      ['pending.activity', 'activities'],
      ['pending.entity', 'entities'],
    ],
  },
  {
    title: 'Age of the oldest, seconds',
    series: [
      ['oldest.orchestration', 'orchestrations'],
      ['oldest.activity', 'activities'],
      ['oldest.entity', 'entities'],
    ],
  },
  {
    title: 'In hand of workers',
    series: [
      ['active.orchestration', 'orchestrations'],
      ['active.activity', 'activities'],
      ['active.entity', 'entities'],
    ],
  },
  {
    title: 'Per second',
    series: [
      ['delivered', 'handed out'],
      ['completed', 'completed'],
    ],
  },
  { title: 'Connected workers', series: [['workers', 'workers']] },
];

const COLOURS = ['--accent', '--completed', '--suspended', '--terminated'];
const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [8, 3, 2, 3]];

export function Metrics({ hub }: { readonly hub: string }): JSX.Element {
  const { data, error, reload } = useData<MetricsJson>(apiPath(hub, 'metrics'));
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reload();
    }, 5000);
    return () => clearInterval(timer);
  }, []);
  if (error !== undefined && !data) return <ProblemCard error={error} onRetry={reload} />;
  if (!data) return <p class="muted">…</p>;
  if (data.at.length === 0) {
    return (
      <Empty>The first numbers come {data.stepMs / 1000} s after the scheduler started.</Empty>
    );
  }
  return (
    <div class="charts">
      {CHARTS.map((chart) => (
        <Chart key={chart.title} {...{ chart, data }} />
      ))}
    </div>
  );
}

/** What a colour of the page is in its scheme: a canvas knows neither variables nor schemes. */
function colourOf(name: string, box: HTMLElement): string {
  box.style.color = `var(${name})`;
  const { color } = getComputedStyle(box);
  box.style.removeProperty('color');
  return color;
}

/** The whole time in every label: a date below one of them ran into its neighbour. */
function timeLabels(_: uPlot, splits: readonly number[]): string[] {
  const hasSeconds = splits.some((at) => at % 60 !== 0);
  const isUtc = timeZoneMode.value === 'utc';
  return splits.map((at) => shortTime(at * 1000, isUtc, hasSeconds));
}

function optionsFor(chart: ChartSpec, box: HTMLElement): uPlot.Options {
  const line = { stroke: colourOf('--line', box), width: 1 };
  const font = `11px ${getComputedStyle(box).fontFamily}`;
  const axis: uPlot.Axis = { stroke: colourOf('--text-2', box), font, grid: line, ticks: line };
  const width = Math.max(240, box.clientWidth);
  return {
    ...{ width, height: 180 },
    legend: { show: false },
    cursor: { sync: { key: 'metrics' } },
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [{ ...axis, space: 80, values: timeLabels }, axis],
    series: [
      {},
      ...chart.series.map(([, label], index) => ({
        label,
        stroke: colourOf(COLOURS[index] ?? '--accent', box),
        width: 1.5,
        dash: [...(DASHES[index] ?? [])],
      })),
    ],
  };
}

function Chart({ chart, data }: { readonly chart: ChartSpec; readonly data: MetricsJson }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const [isTable, setTable] = useState(false);
  const columns = chart.series.map(([name]) => data.series[name] ?? []);
  const rows: uPlot.AlignedData = [data.at.map((at) => at / 1000), ...columns];
  useEffect(() => {
    if (!box.current || isTable) return undefined;
    plot.current = new uPlot(optionsFor(chart, box.current), rows, box.current);
    return () => plot.current?.destroy();
  }, [isTable, isDark.value, timeZoneMode.value]);
  useEffect(() => plot.current?.setData(rows), [data]);
  const latest = chart.series.map(
    ([, label], index) => `${label} ${format(columns[index]?.at(-1))}`,
  );
  return (
    <figure class="card">
      <figcaption>{chart.title}</figcaption>
      <p class="meta">now: {latest.join(' · ')}</p>
      {!isTable && (
        <>
          <div ref={box} aria-hidden="true" />
          <ul class="legend">
            {chart.series.map(([, label], index) => (
              <li class={`legend-${index}`}>{label}</li>
            ))}
          </ul>
        </>
      )}
      {isTable && <Numbers {...{ chart, data }} />}
      <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
        {isTable ? 'Chart' : 'Numbers'}
        <span class="hidden-text"> of {chart.title}</span>
      </button>
    </figure>
  );
}

function format(value: number | undefined): string {
  return value === undefined ? '–' : String(Math.round(value * 10) / 10);
}

function Numbers({ chart, data }: { readonly chart: ChartSpec; readonly data: MetricsJson }) {
  const last = data.at.map((at, index) => ({ at, index })).slice(-30);
  return (
    <Scroll label={`${chart.title}, numbers`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {chart.series.map(([, label]) => (
              <th scope="col">{label}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {last.map(({ at, index }) => (
            <tr key={at}>
              <td class="num">{shortTime(at, timeZoneMode.value === 'utc')}</td>
              {chart.series.map(([name]) => (
                <td class="num">{format(data.series[name]?.[index])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
