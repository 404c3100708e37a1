import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../base/errors.ts';
import { context, createTestSource, never, openTestLog } from './loops.fixture.ts';
import { createSourceLoop } from './source-loop.ts';

const passing = new MillraceError('BINLOG_DISCONNECTED', 'cut', { retriable: true });

test('errors.max.retries bounds the retries of one trouble, and what gets something done begins a new one', async () => {
  for (const [most, items, opened] of [
    ['2', [passing, passing, passing, 10], 3],
    ['0', [10, passing, 20], 1],
    ['1', [passing, 10, passing, passing], 3],
  ] as const) {
    await using opening = await openTestLog();
    const states: string[] = [];
    const source = createTestSource([...items]);
    const loop = createSourceLoop({
      connector: source.connector,
      // Without waits.
      context: {
        ...context,
        properties: { ...context.properties, 'errors.max.retries': most, 'retriable.restart.connector.wait.ms': '0' },
      },
      log: opening.log,
      onAppended: () => undefined,
      onState: (state) => states.push(state),
    });
    await assert.rejects(loop.run(never), { code: 'BINLOG_DISCONNECTED' });
    assert.equal(source.opened.length, opened, `errors.max.retries=${most}`);
    assert.equal(states.at(-1), 'FAILED');
  }
});
