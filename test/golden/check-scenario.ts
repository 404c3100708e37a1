import { messageOf } from '../../src/base/errors.ts';
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
    const { records, final, problems } = await runScenario(scenario, options);
    const failed = scenario.final.task === 'FAILED';
    const differences = [...compareRecords(scenario, records, { extraAtEnd: failed })];
    // A task that failed there on a legal value goes on here.
    if (!failed && final.task !== scenario.final.task) {
      differences.unshift({
        topic: '',
        record: '',
        path: 'final.task',
        expected: String(scenario.final.task),
        got: `${final.task} ${final.trace}`,
      });
    }
    return { scenario, records: records.length, differences, problems, ms: took() };
  } catch (error) {
    const difference = { topic: '', record: '', path: 'run', expected: 'to run', got: messageOf(error) };
    return { scenario, records: 0, differences: [difference], problems: [], ms: took() };
  }
}
