/**
 * The text format of Prometheus, version 0.0.4. Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 *   # HELP name text
 *   # TYPE name gauge|counter
 *   name{label="value",…} number
 */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  /** Undefined: not known, and not told. */
  readonly value: number | boolean | undefined;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: readonly Sample[];
}

export const prometheusType = 'text/plain; version=0.0.4; charset=utf-8';

/** Families without a sample that is known are left out. */
export function prometheusText(families: readonly MetricFamily[]): string {
  return families.map(familyText).join('');
}

function familyText({ name, type, help, samples }: MetricFamily): string {
  const lines = samples.flatMap(({ labels = {}, value }) => {
    if (value === undefined) return [];
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text).replaceAll('"', String.raw`\"`)}"`);
    return [`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(Number(value))}\n`];
  });
  return lines.length === 0 ? '' : `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`);
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
