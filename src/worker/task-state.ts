/** The states that Kafka Connect gives connectors and tasks. */
export const taskStates = ['UNASSIGNED', 'RUNNING', 'PAUSED', 'STOPPED', 'FAILED', 'RESTARTING'] as const;

export type TaskState = (typeof taskStates)[number];

/** What happens to a task. */
export type TaskEvent =
  /** Its thread has opened it. */
  | 'started'
  /** A passing fault: it will be opened again. */
  | 'faulted'
  /** A fault that does not pass. */
  | 'failed'
  | 'paused'
  | 'resumed'
  /** It has ended, as asked. */
  | 'stopped'
  /** Someone asked for a restart. */
  | 'restarted';

/**
 * Where each event leads from each state; null: the event cannot happen there, and says nothing. Total, so that no pair
 * is forgotten.
 */
const transitions: Readonly<Record<TaskState, Readonly<Record<TaskEvent, TaskState | null>>>> = {
  UNASSIGNED: {
    started: 'RUNNING',
    faulted: 'RESTARTING',
    failed: 'FAILED',
    paused: 'PAUSED',
    resumed: null,
    stopped: 'STOPPED',
    restarted: 'RESTARTING',
  },
  RUNNING: {
    started: null,
    faulted: 'RESTARTING',
    failed: 'FAILED',
    paused: 'PAUSED',
    resumed: null,
    stopped: 'STOPPED',
    restarted: 'RESTARTING',
  },
  PAUSED: { started: null, faulted: null, failed: 'FAILED', paused: null, resumed: 'UNASSIGNED', stopped: 'STOPPED', restarted: null },
  STOPPED: { started: null, faulted: null, failed: null, paused: 'PAUSED', resumed: 'UNASSIGNED', stopped: null, restarted: null },
  // A failed task stays so until someone restarts it.
  FAILED: { started: null, faulted: null, failed: null, paused: null, resumed: null, stopped: 'STOPPED', restarted: 'RESTARTING' },
  RESTARTING: {
    started: 'RUNNING',
    faulted: 'RESTARTING',
    failed: 'FAILED',
    paused: 'PAUSED',
    resumed: null,
    stopped: 'STOPPED',
    restarted: 'RESTARTING',
  },
};

/** The state after an event; the same state when the event means nothing there. */
export function nextState(state: TaskState, event: TaskEvent): TaskState {
  return transitions[state][event] ?? state;
}
