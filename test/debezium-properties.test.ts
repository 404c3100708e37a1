/** `docs/properties.md` says what the code does of each property of Debezium, and what holds it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { findProperty } from '../src/config/config-def.ts';
import { debeziumMysqlKeys } from '../src/config/debezium-keys.ts';
import { sourceConnectorDef } from '../src/mysql/connector-config.ts';

const root = join(import.meta.dirname, '..');

interface Line {
  readonly property: string;
  readonly fate: string;
  readonly why: string;
}

function readPage(): readonly Line[] {
  const text = readFileSync(join(root, 'docs/properties.md'), 'utf8');
  return [...text.matchAll(/^\| `([^`]+)` +\| (works|not needed|no effect|refused) +\| (.*?) *\|$/gm)].map(
    ([, property = '', fate = '', why = '']) => ({ property, fate, why }),
  );
}

/** A property of a family: `column.mask.with.<n>.chars`, `driver.*`. */
function exampleOf(property: string): string {
  return property.replace('<n>', '5').replace('<algorithm>', 'SHA-256').replaceAll(/<\w+>/g, 'x').replace(/\*$/, 'x');
}

/** Which scenarios set a property: names by property. */
function recordedProperties(): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  for (const server of ['mysql', 'mariadb']) {
    const lines = zstdDecompressSync(readFileSync(join(root, `test/golden/recordings/${server}.jsonl.zst`)))
      .toString()
      .split('\n');
    for (const line of lines) {
      if (line === '') continue;
      const files: Readonly<Record<string, string>> = JSON.parse(line);
      const scenario: { readonly name: string; readonly connector: Readonly<Record<string, string>> } = JSON.parse(
        files['scenario.json'] ?? '',
      );
      for (const property of Object.keys(scenario.connector)) {
        const names = found.get(property) ?? new Set();
        names.add(`${server}/${scenario.name}`);
        found.set(property, names);
      }
    }
  }
  return found;
}

const lines = readPage();

test('the page says of each property what the code does, and why', () => {
  assert.ok(lines.length > 130, `${lines.length} lines`);
  for (const { property, fate, why } of lines) {
    const facts = findProperty(sourceConnectorDef, exampleOf(property));
    assert.ok(facts !== undefined, `${property} is not known`);
    assert.equal(fate, facts.effect ?? 'works', property);
    if (fate !== 'works') assert.equal(why, facts.why, property);
  }
});

test('each property that the connector shows is on the page', () => {
  const examples = new Set(lines.map(({ property }) => property));
  const families = lines.filter(({ property }) => property.endsWith('.*')).map(({ property }) => property.slice(0, -1));
  const missing = debeziumMysqlKeys
    .map(([name]) => name)
    // Families, which it shows as patterns.
    .filter((name) => !name.includes('('))
    .filter((name) => !examples.has(name) && !families.some((family) => name.startsWith(family)));
  assert.deepEqual(missing, []);
});

test('what works is held by a test that names it, or by a recording that has it', () => {
  const recorded = recordedProperties();
  for (const { property, fate, why } of lines) {
    if (fate !== 'works') continue;
    const [, scenario] = /^recording (\S+)$/.exec(why) ?? [];
    if (scenario !== undefined) {
      const [fixed = ''] = property.split('<');
      const has = [...recorded].some(
        ([name, scenarios]) => (name === property || (fixed !== property && name.startsWith(fixed))) && scenarios.has(scenario),
      );
      assert.ok(has, `${scenario} has no ${property}`);
      continue;
    }
    const [, file = ''] = /^`(\S+)`$/.exec(why) ?? [];
    assert.ok(existsSync(join(root, file)), `${property}: there is no ${file}`);
    const text = readFileSync(join(root, file), 'utf8');
    const named = property.split(/<\w+>/).every((part) => text.includes(part));
    assert.ok(named, `${file} does not name ${property}`);
  }
});
