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

/** What happens to a connector, apart from its tasks. */
export type ConnectorEvent =
  /** It runs, or shall. */
  | 'started'
  | 'paused'
  /** Its tasks end. */
  | 'stopped'
  /** It could not be started. */
  | 'failed'
  /** It has another configuration. */
  | 'reconfigured'
  /** Someone asked for a restart. */
  | 'restarted';

/** As `transitions`, of connectors: from anywhere to where the event says, but that a failed one waits for a restart. */
const connectorTransitions: Readonly<Record<TaskState, Readonly<Record<ConnectorEvent, TaskState | null>>>> = {
  UNASSIGNED: toAnywhere(),
  RUNNING: toAnywhere(),
  PAUSED: toAnywhere(),
  STOPPED: toAnywhere(),
  FAILED: { ...toAnywhere(), started: null, paused: null },
  RESTARTING: toAnywhere(),
};

function toAnywhere(): Readonly<Record<ConnectorEvent, TaskState>> {
  return {
    started: 'RUNNING',
    paused: 'PAUSED',
    stopped: 'STOPPED',
    failed: 'FAILED',
    reconfigured: 'UNASSIGNED',
    restarted: 'RESTARTING',
  };
}

/** The state of a connector after an event; the same state when the event means nothing there. */
export function nextConnectorState(state: TaskState, event: ConnectorEvent): TaskState {
  return connectorTransitions[state][event] ?? state;
}
