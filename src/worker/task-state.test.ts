import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextState, taskStates } from './task-state.ts';
import type { TaskEvent } from './task-state.ts';

const events: readonly TaskEvent[] = ['started', 'faulted', 'failed', 'paused', 'resumed', 'stopped', 'restarted'];

test('every event in every state leads to a state', () => {
  for (const state of taskStates) for (const event of events) assert.ok(taskStates.includes(nextState(state, event)), `${state} ${event}`);
});

test('a failed task stays failed whatever happens, until it is restarted or stopped', () => {
  for (const event of events) {
    const expected = event === 'restarted' ? 'RESTARTING' : event === 'stopped' ? 'STOPPED' : 'FAILED';
    assert.equal(nextState('FAILED', event), expected, event);
  }
});

test('a late start of a thread does not wake a paused or stopped task', () => {
  assert.equal(nextState('PAUSED', 'started'), 'PAUSED');
  assert.equal(nextState('STOPPED', 'started'), 'STOPPED');
});

test('a passing fault shows as RESTARTING until the task runs again', () => {
  assert.equal(nextState('RUNNING', 'faulted'), 'RESTARTING');
  assert.equal(nextState('RESTARTING', 'faulted'), 'RESTARTING');
  assert.equal(nextState('RESTARTING', 'started'), 'RUNNING');
});
