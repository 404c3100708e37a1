import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextConnectorState, nextState, taskStates } from './task-state.ts';
import type { TaskEvent } from './task-state.ts';

const events: readonly TaskEvent[] = ['started', 'faulted', 'failed', 'paused', 'resumed', 'stopped', 'restarted'];

/** `=`: the event says nothing there. */
const table = `
                started     faulted     failed      paused      resumed     stopped     restarted
  UNASSIGNED    RUNNING     RESTARTING  FAILED      PAUSED      =           STOPPED     RESTARTING
  RUNNING       =           RESTARTING  FAILED      PAUSED      =           STOPPED     RESTARTING
  PAUSED        =           =           FAILED      =           UNASSIGNED  STOPPED     =
  STOPPED       =           =           =           PAUSED      UNASSIGNED  =           =
  FAILED        =           =           =           =           =           STOPPED     RESTARTING
  RESTARTING    RUNNING     =           FAILED      PAUSED      =           STOPPED     =`;

test('every event leads from every state where the table says', () => {
  const [names = [], ...rows] = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  assert.deepEqual(names, events);
  assert.deepEqual(new Set(rows.map(([state]) => state)), new Set(taskStates));
  for (const state of taskStates) {
    const [, ...cells] = rows.find(([name]) => name === state) ?? [];
    assert.equal(cells.length, events.length);
    for (const [at, event] of events.entries()) {
      assert.equal(nextState(state, event), cells[at] === '=' ? state : cells[at], `${state} ${event}`);
    }
  }
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

test('a connector goes where it is sent, but a failed one waits for a restart or another configuration', () => {
  const led = {
    started: 'RUNNING',
    paused: 'PAUSED',
    stopped: 'STOPPED',
    failed: 'FAILED',
    reconfigured: 'UNASSIGNED',
    restarted: 'RESTARTING',
  } as const;
  for (const state of taskStates) {
    for (const [event, expected] of Object.entries(led)) {
      const waits = state === 'FAILED' && (event === 'started' || event === 'paused');
      assert.equal(nextConnectorState(state, event as keyof typeof led), waits ? 'FAILED' : expected, `${state} ${event}`);
    }
  }
});
