import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startServer, type Flavor, type PrivateServer } from '../../src/cli/private-server.ts';
import { withoutServer } from '../servers/shared.ts';
import { checkScenario } from './check-scenario.ts';
import { differencesOf, explain } from './chosen-differences.ts';
import type { PlacedDifference } from './differences.ts';
import { runsAlone } from './run-scenario.ts';
import { loadScenarios, type Scenario } from './scenario.ts';

const compatible = { 'millrace.compat': 'debezium-3.6' };
const shownDifferences = 10;

/** A test per recording, and per setting where the two differ; several run at a time on one server of their own. */
export function defineGoldenTests(flavor: Flavor): void {
  const skip = withoutServer(flavor);
  const scenarios = [...loadScenarios(flavor).values()];
  let server: PrivateServer | undefined;
  // Not a shared one: transactions of other tests would show in the transaction topics.
  describe(`recordings of ${flavor}`, { skip, concurrency: 1 }, () => {
    before(async () => {
      server = await startServer({ flavor });
    });
    after(async () => {
      await server?.[Symbol.asyncDispose]();
    });
    const define = (scenario: Scenario): void => {
      const name = `${scenario.name} on ${flavor}`;
      test(`${name} gives the recorded records`, () => checkBoth(scenario, server));
    };
    describe('several at a time', { concurrency: 4 }, () => scenarios.filter((scenario) => !runsAlone(scenario)).forEach(define));
    describe('one after another', { concurrency: 1 }, () => scenarios.filter(runsAlone).forEach(define));
  });
}

/** In one test, since both use the scenario's databases. */
async function checkBoth(scenario: Scenario, server: PrivateServer | undefined): Promise<void> {
  assert.ok(server);
  const texts = [await check(scenario, server, false)];
  if (differencesOf(scenario).some(({ always }) => always !== true)) texts.push(await check(scenario, server, true));
  const text = texts.filter((each) => each !== '').join('\n');
  assert.equal(text, '', text);
}

/** What is wrong, in words; empty: nothing. */
async function check(scenario: Scenario, server: PrivateServer, isCompatible: boolean): Promise<string> {
  const { differences, problems } = await checkScenario(scenario, { server, properties: isCompatible ? compatible : {} });
  const { left, unseen } = explain(scenario, differences, isCompatible);
  const lines = [
    ...left.slice(0, shownDifferences).map(describeDifference),
    ...(left.length > shownDifferences ? [`… ${left.length - shownDifferences} more`] : []),
    ...unseen.map(({ finding, about }) => `not seen, though it was chosen: ${finding}, ${about}`),
  ];
  if (lines.length === 0) return '';
  return [isCompatible ? 'with millrace.compat=debezium-3.6' : 'by default', ...problems, ...lines].join('\n');
}

function describeDifference({ topic, record, path, expected, got }: PlacedDifference): string {
  const cut = (text: string): string => (text.length > 300 ? `${text.slice(0, 300)}…` : text);
  const place = [topic, record, path].filter((part) => part !== '').join(' · ');
  return `${place}\n  recorded ${cut(expected)}\n  ours     ${cut(got)}`;
}
