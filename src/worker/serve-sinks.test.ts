import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { silentLogger } from '../base/logger.ts';
import { openTestLog } from './loops.fixture.ts';
import { serveSinks } from './serve-sinks.ts';
import type { ToThread } from './thread-messages.ts';

test('a port that comes when a thread of sinks has ended is closed, so that it does not hold the thread', async () => {
  await using opened = await openTestLog();
  const { port1: main, port2: own } = new MessageChannel();
  const served = serveSinks({
    port: own,
    log: opened.log,
    logger: silentLogger,
    setLogLevel: () => undefined,
    sinks: [],
    parts: () => assert.fail('no sink'),
    methods: () => ({ [Symbol.asyncDispose]: () => Promise.resolve() }),
  });
  main.postMessage({ kind: 'stop' } satisfies ToThread);
  await served;
  for (const kind of ['callPort', 'wakePort'] as const) {
    const { port1: kept, port2: late } = new MessageChannel();
    const closed = once(kept, 'close');
    main.postMessage({ kind, port: late } satisfies ToThread, [late]);
    await closed;
  }
  main.close();
});
