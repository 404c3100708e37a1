import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '../base/logger.ts';
import { createTaskRestarts } from './task-restarts.ts';

const policy = { enabled: true, firstMs: 1000, longestMs: 3000, attempts: 4, calmMs: 60_000 };

test('a failed task is restarted after waits that grow, up to a ceiling, and by hand they begin anew', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let restarts = 0;
  const task = createTaskRestarts(policy, silentLogger, () => restarts++);
  for (const [attempt, waitMs] of [1000, 2000, 3000, 3000].entries()) {
    task.running();
    task.failed('MYSQL_ACCESS_DENIED');
    t.mock.timers.tick(waitMs - 1);
    assert.equal(restarts, attempt, 'not yet');
    t.mock.timers.tick(1);
    assert.equal(restarts, attempt + 1);
  }
  task.failed('MYSQL_ACCESS_DENIED');
  t.mock.timers.tick(1_000_000);
  assert.equal(restarts, 4, 'not any more');
  task.cancel();
  task.failed('MYSQL_ACCESS_DENIED');
  t.mock.timers.tick(1000);
  assert.equal(restarts, 5);
});

test('what no time mends is not tried again, nor anything when it is switched off', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let restarts = 0;
  createTaskRestarts(policy, silentLogger, () => restarts++).failed('CONFIG_INVALID');
  createTaskRestarts({ ...policy, enabled: false }, silentLogger, () => restarts++).failed('MYSQL_ACCESS_DENIED');
  t.mock.timers.tick(1_000_000);
  assert.equal(restarts, 0);
});

test('a task that someone stops is not restarted', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let restarts = 0;
  const task = createTaskRestarts(policy, silentLogger, () => restarts++);
  task.failed('MYSQL_ACCESS_DENIED');
  task.cancel();
  t.mock.timers.tick(1_000_000);
  assert.equal(restarts, 0);
});
