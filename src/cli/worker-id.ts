import { hostname } from 'node:os';
import type { WorkerValues } from '../config/worker-properties.ts';

/** `worker_id` in all states: host and port at which the worker's REST API is to be reached. */
export function workerIdOf(values: WorkerValues): string {
  const wanted = values['rest.advertised.listener'];
  const listener = values.listeners.find((each) => wanted === undefined || each.startsWith(`${wanted}:`)) ?? values.listeners[0];
  const match = /^[a-z]+:\/\/(.*):(\d+)\/?$/i.exec(listener ?? '');
  const host = values['rest.advertised.host.name'] ?? match?.[1] ?? '';
  const isAny = host === '' || host === '0.0.0.0' || host === '[::]';
  return `${isAny ? hostname() : host}:${values['rest.advertised.port'] ?? match?.[2] ?? '8083'}`;
}
