import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { METRICS } from '../../src/telemetry/metrics.ts';
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
