/** The text format of Prometheus, version 0.0.4. */

/** One series' name and help; `labels` are those that each of its values has, in this order. */
export interface MetricFamily {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly labels: readonly string[];
}

export interface MetricValue {
  readonly labels: readonly string[];
  readonly value: number;
}

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Families without a value are still announced, so that a dashboard knows of them. */
export function renderPrometheus(
  families: readonly (readonly [MetricFamily, readonly MetricValue[]])[],
): string {
  return families
    .map(([{ name, type, help, labels }, values]) => {
      const lines = values.map(
        (each) => `${name}${renderLabels(labels, each.labels)} ${each.value}`,
      );
      return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n');
    })
    .join('');
}

function renderLabels(names: readonly string[], values: readonly string[]): string {
  if (names.length === 0) return '';
  const pairs = names.map((name, index) => `${name}="${escapeValue(values[index] ?? '')}"`);
  return `{${pairs.join(',')}}`;
}

function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
