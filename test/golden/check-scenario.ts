import { messageOf } from '../../src/base/errors.ts';
import { goesOn, nameOf } from './chosen-differences.ts';
import { compareHistory, compareInternalTopic, compareOffsets } from './compare-internal.ts';
import { compareRecords } from './compare-records.ts';
import type { PlacedDifference } from './differences.ts';
import { runScenario, type RunOptions } from './run-scenario.ts';
import type { Scenario } from './scenario.ts';

export interface ScenarioResult {
  readonly scenario: Scenario;
  /** How many records we wrote. */
  readonly records: number;
  readonly differences: readonly PlacedDifference[];
  readonly problems: readonly string[];
  readonly ms: number;
}

/** Runs a scenario and compares everything with its recording. */
export async function checkScenario(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const startMs = performance.now();
  const took = (): number => Math.round(performance.now() - startMs);
  try {
    const { records, final, problems, offsets, internal } = await runScenario(scenario, options);
    const isGoingOn = nameOf(scenario) in goesOn;
    const historyTopic = scenario.connector['schema.history.internal.kafka.topic'] ?? '';
    const [history, others] = [true, false].map((isHistory) => records.filter(({ topic }) => (topic === historyTopic) === isHistory));
    const differences = [...compareRecords(scenario, others ?? [], { extraAtEnd: isGoingOn })];
    const task = isGoingOn ? 'RUNNING' : scenario.final.task;
    if (final.task !== task || final.connector !== scenario.final.connector) {
      const got = `${final.connector}, ${final.task} ${final.trace}`.trim();
      differences.unshift({ topic: '', record: '', path: 'final', expected: `${scenario.final.connector}, ${task}`, got });
    }
    if (isGoingOn && /INTO zz_end/.test(scenario.stream) && !records.some(({ topic }) => topic.endsWith('.zz_end'))) {
      differences.push({ topic: '', record: '', path: 'end', expected: 'the row that ends the stream', got: '(missing)' });
    }
    differences.push(...compareOffsets(scenario, offsets));
    if (!isGoingOn) {
      differences.push(...compareHistory(historyTopic, scenario.historyLines, history ?? []));
      const { connectorName } = scenario;
      for (const [topic, lines] of [
        ['connect-configs', scenario.configLines],
        ['connect-offsets', scenario.offsetLines],
        ['connect-status', scenario.statusLines],
      ] as const) {
        differences.push(...compareInternalTopic(topic, lines, { connectorName, ours: internal[topic] }));
      }
    }
    return { scenario, records: records.length, differences, problems, ms: took() };
  } catch (error) {
    const difference = { topic: '', record: '', path: 'run', expected: 'to run', got: messageOf(error) };
    return { scenario, records: 0, differences: [difference], problems: [], ms: took() };
  }
}
