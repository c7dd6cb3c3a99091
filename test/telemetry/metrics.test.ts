import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { METRICS, RECORDED } from '../../src/telemetry/metrics.ts';
import { meterOf } from '../../src/telemetry/meter.ts';
import { observeMetrics } from '../../src/telemetry/observed-metrics.ts';
import { recordMetric } from '../../src/telemetry/recorded-metrics.ts';
import { renderPrometheus } from '../../src/telemetry/prometheus.ts';

describe('series of /metrics', () => {
  it('are documented, each with its type, labels and meaning', () => {
    const documented = readFileSync(new URL('../../docs/SCALING.md', import.meta.url), 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('| `durabletask_'))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    const rows = Object.values(METRICS).map(({ name, type, labels, help }) => [
      ...[`\`${name}\``, type],
      ...[labels.join(', '), help.replace(/\.$/, '')],
    ]);
    assert.deepEqual(documented, rows);
  });
});

describe('metrics of OpenTelemetry', () => {
  it('are documented, each with its type, unit, attributes and meaning', () => {
    const documented = readFileSync(new URL('../../docs/TELEMETRY.md', import.meta.url), 'utf8')
      .split('\n')
      .filter((line) => /^\| `(durabletask|rpc)\./.test(line))
      .map((line) =>
        line
          .split('|')
          .slice(1, -1)
          .map((cell) => cell.trim()),
      );
    const table = [...Object.values(METRICS), ...Object.values(RECORDED)];
    const rows = table.map(({ instrument, type, unit, labels, help }) => [
      ...[`\`${instrument}\``, type, unit],
      ...[labels.join(', '), help.replace(/\.$/, '')],
    ]);
    assert.deepEqual(documented, rows);
  });

  it('have the names of the series of /metrics, as Prometheus writes them', () => {
    for (const { name, instrument, unit, type } of Object.values(METRICS)) {
      const words = instrument.replaceAll('.', '_');
      const suffix = type === 'counter' ? '_total' : '';
      assert.equal(name, `${words}${unit === 's' ? '_seconds' : ''}${suffix}`);
    }
  });

  it('cost nothing and do nothing in a process without an SDK', () => {
    assert.equal(meterOf(), undefined);
    recordMetric('roundDuration', 1);
    observeMetrics([METRICS.rounds], () => assert.fail('nobody asks'))();
  });
});

describe('the text format of Prometheus', () => {
  const family = { name: 'x', type: 'gauge', help: 'An x.', labels: ['hub'] } as const;

  it('escapes what a label may hold', () => {
    const value = { labels: ['a"b\\c\nd'], value: 1.5 };
    assert.equal(
      renderPrometheus([[family, [value]]]),
      '# HELP x An x.\n# TYPE x gauge\nx{hub="a\\"b\\\\c\\nd"} 1.5\n',
    );
  });

  it('announces a series that has no value', () => {
    assert.equal(renderPrometheus([[family, []]]), '# HELP x An x.\n# TYPE x gauge\n');
  });
});
