/**
 * Runs scenarios and says how far they are from their recordings: for work on one of them.
 *
 *   node bin/own-node.js test/golden/run.ts mysql types-json 'smt-*'
 *   node bin/own-node.js test/golden/run.ts --json FILE          all, and a file with all differences
 *
 * `--max N` differences are shown, with `--all` the chosen ones too; `--set name=value` adds a property, `--jobs N` run at a
 * time.
 */
import { writeFileSync } from 'node:fs';
import { matchesGlob } from 'node:path';
import { parseArgs } from 'node:util';
import { flavors, startServer, type Flavor } from '../../src/cli/private-server.ts';
import { checkScenario, type ScenarioResult } from './check-scenario.ts';
import { explain } from './chosen-differences.ts';
import { runsAlone } from './run-scenario.ts';
import { loadScenarios, type Scenario } from './scenario.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    max: { type: 'string', default: '10' },
    set: { type: 'string', multiple: true, default: [] },
    all: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '4' },
  },
});
const names = positionals.filter((word) => !flavors.some((flavor) => flavor === word));
const chosen = flavors.filter((flavor) => positionals.includes(flavor));
const properties = Object.fromEntries(values.set.map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]));
const results: ScenarioResult[] = [];
const startMs = performance.now();
for (const flavor of chosen.length === 0 ? flavors : chosen) results.push(...(await runFlavor(flavor)));
const passed = results.filter((result) => result.differences.length === 0).length;
say(`${passed} of ${results.length} pass, ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
if (values.json !== undefined) {
  const rows = results.map(({ scenario, differences, problems }) => ({
    flavor: scenario.flavor,
    name: scenario.name,
    problems,
    differences,
  }));
  writeFileSync(values.json, JSON.stringify(rows));
}

async function runFlavor(flavor: Flavor): Promise<readonly ScenarioResult[]> {
  await using server = await startServer({ flavor });
  const own: ScenarioResult[] = [];
  const isChosen = ({ name }: Scenario): boolean => names.length === 0 || names.some((glob) => matchesGlob(name, glob));
  const scenarios = [...loadScenarios(flavor).values()].filter(isChosen);
  const run = async (scenario: Scenario): Promise<void> => {
    const checked = await checkScenario(scenario, { server, properties });
    const differences = values.all ? checked.differences : explain(scenario, checked.differences, 'millrace.compat' in properties).left;
    const result = { ...checked, differences };
    own.push(result);
    tell(result);
  };
  const queue = scenarios.filter((scenario) => !runsAlone(scenario));
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await run(next);
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  for (const scenario of scenarios) if (runsAlone(scenario)) await run(scenario);
  return own.toSorted((a, b) => (a.scenario.name < b.scenario.name ? -1 : 1));
}

function tell({ scenario, differences, problems, ms, records }: ScenarioResult): void {
  const { flavor, name } = scenario;
  say(
    `${differences.length === 0 ? '✔' : '✖'} ${flavor} ${name}: ${records} of ${scenario.records.length} records, ${differences.length} differences, ${ms} ms`,
  );
  for (const problem of problems) say(`    ${problem}`);
  for (const each of differences.slice(0, Number(values.max))) {
    say(`    ${[each.topic, each.record, each.path].filter((part) => part !== '').join(' · ')}`);
    say(`      expected ${cut(each.expected)}\n      got      ${cut(each.got)}`);
  }
}

function cut(text: string, length = 400): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
