import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { METRICS } from '../../src/telemetry/metrics.ts';

const FILES = ['grafana-dashboard.json', 'prometheus-alerts.json'];
/** An aggregation over one series: its labels, its name. */
const GROUPED = /by \(([^)]+)\) \((?:rate\()?(durabletask_\w+)/g;
const known = new Map<string, readonly string[]>(
  Object.values(METRICS).map(({ name, labels }) => [name, labels]),
);

interface Dashboard {
  readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
}

interface AlertRules {
  readonly groups: readonly { readonly rules: readonly { readonly expr: string }[] }[];
}

describe('files of docs/scaling', () => {
  for (const file of FILES) {
    it(`name only series that /metrics has, in ${file}`, () => {
      const unknown = seriesIn(read(file)).filter((name) => !known.has(name));
      assert.deepEqual(unknown, []);
    });
  }

  it('show every series in the dashboard', () => {
    const shown = new Set(expressionsOfDashboard().flatMap(seriesIn));
    assert.deepEqual([...shown].sort(), [...known.keys()].sort());
  });

  it('group a series only by labels that it has', () => {
    const grouped = [...expressionsOfDashboard(), ...expressionsOfAlerts()].flatMap((expression) =>
      [...expression.matchAll(GROUPED)].flatMap(([, labels = '', name = '']) =>
        labels.split(', ').map((label) => ({ label, name })),
      ),
    );
    // Prometheus itself adds `instance` to whatever it reads.
    const wrong = grouped.filter(
      ({ label, name }) => label !== 'instance' && known.get(name)?.includes(label) !== true,
    );
    assert.ok(grouped.length > 20, `${grouped.length} labels were found`);
    assert.deepEqual(wrong, []);
  });
});

function expressionsOfDashboard(): string[] {
  const { panels } = JSON.parse(read('grafana-dashboard.json')) as Dashboard;
  return panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
}

function expressionsOfAlerts(): string[] {
  const { groups } = JSON.parse(read('prometheus-alerts.json')) as AlertRules;
  return groups.flatMap(({ rules }) => rules.map(({ expr }) => expr));
}

function seriesIn(text: string): string[] {
  return text.match(/durabletask_\w+/g) ?? [];
}

function read(file: string): string {
  return readFileSync(new URL(`../../docs/scaling/${file}`, import.meta.url), 'utf8');
}
