/** The hub's numbers over time; each chart has its numbers as a table too. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { MetricsJson } from '../../server/http/api/contract.ts';
import { apiPath } from '../model/routes.ts';
import { clockTime } from '../model/format.ts';
import { theme, timeZoneMode } from '../habits.ts';
import { Empty, ProblemCard } from '../parts/basics.tsx';
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

function colourOf(index: number): string {
  const name = COLOURS[index] ?? '--accent';
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function optionsFor(chart: ChartSpec, width: number): uPlot.Options {
  const text = getComputedStyle(document.documentElement).getPropertyValue('--text-2').trim();
  const line = getComputedStyle(document.documentElement).getPropertyValue('--line').trim();
  const axis: uPlot.Axis = { stroke: text, grid: { stroke: line }, ticks: { stroke: line } };
  return {
    ...{ width, height: 180 },
    legend: { show: false },
    cursor: { sync: { key: 'metrics' } },
    scales: { y: { range: (_, __, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [axis, axis],
    series: [
      {},
      ...chart.series.map(([, label], index) => ({
        label,
        stroke: colourOf(index),
        width: 1.5,
        dash: [...(DASHES[index] ?? [])],
      })),
    ],
    ...(timeZoneMode.value === 'utc' && {
      tzDate: (at: number) => uPlot.tzDate(new Date(at * 1000), 'UTC'),
    }),
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
    const width = Math.max(240, box.current.clientWidth);
    plot.current = new uPlot(optionsFor(chart, width), rows, box.current);
    return () => plot.current?.destroy();
  }, [isTable, theme.value, timeZoneMode.value]);
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
    <div class="scroll-x" tabIndex={0} role="group" aria-label={`${chart.title}, numbers`}>
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
              <td class="num">{clockTime(at, timeZoneMode.value === 'utc')}</td>
              {chart.series.map(([name]) => (
                <td class="num">{format(data.series[name]?.[index])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
