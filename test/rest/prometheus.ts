import assert from 'node:assert/strict';

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Reads the text format of Prometheus 0.0.4 as strictly as its own parser, and holds types and names to what `promtool` asks for. */
export function parsePrometheus(text: string): readonly Sample[] {
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  const helps = new Set<string>();
  /** Samples of a name stand together, under its type. */
  let current = '';
  const seen = new Set<string>();
  assert.ok(text.endsWith('\n'), 'the last line ends');
  for (const line of text.slice(0, -1).split('\n')) {
    const [, comment, name = '', rest = ''] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? [];
    if (comment !== undefined) {
      if (comment === 'HELP') {
        assert.ok(!helps.has(name), `${name} has its help twice`);
        helps.add(name);
      } else {
        assert.ok(helps.has(name), `${name} has no help`);
        current = name;
        assert.ok(!types.has(name), `${name} has its type twice`);
        assert.match(rest, /^(?:gauge|counter)$/);
        assert.equal(rest === 'counter', name.endsWith('_total'), `${name} is a ${rest}`);
        types.set(name, rest);
      }
      continue;
    }
    const [, metric = '', labels = '', number = ''] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    assert.equal(metric, current, `a sample apart from its type: ${line}`);
    assert.match(number, /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]Inf|NaN)$/i, line);
    const pairs = [...labels.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/g)];
    assert.equal(pairs.map(([all]) => all).join(''), labels, line);
    const identity = `${metric}{${labels}}`;
    assert.ok(!seen.has(identity), `twice: ${line}`);
    seen.add(identity);
    const values = pairs.map(([, label = '', value = '']) => [
      label,
      value.replaceAll(/\\(["\\n])/g, (_, c: string) => (c === 'n' ? '\n' : c)),
    ]);
    samples.push({ name: metric, labels: Object.fromEntries(values), value: Number(number) });
  }
  return samples;
}
