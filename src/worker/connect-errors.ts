/** The refusals of Kafka Connect's REST API, word for word. */
import { MillraceError } from '../base/errors.ts';
import type { GivenConfig } from './connect-service.ts';

function notFound(message: string): MillraceError {
  return new MillraceError('CONNECTOR_NOT_FOUND', message);
}

export function connectorNotFound(name: string): MillraceError {
  return notFound(`Connector ${name} not found`);
}

/** Of pause, resume and stop. */
export function unknownConnector(name: string): MillraceError {
  return notFound(`Unknown connector ${name}`);
}

/** Of restart. */
export function unknownConnectorToRestart(name: string): MillraceError {
  return notFound(`Unknown connector: ${name}`);
}

export function unknownTask(name: string, task: number): MillraceError {
  return notFound(`Unknown task: ${name}-${task}`);
}

export function noConnectorStatus(name: string): MillraceError {
  return notFound(`No status found for connector ${name}`);
}

export function noTaskStatus(name: string, task: number): MillraceError {
  return notFound(`No status found for task ${name}-${task}`);
}

export function connectorExists(name: string): MillraceError {
  return new MillraceError('CONNECTOR_CONFLICT', `Connector ${name} already exists`);
}

export function badRequest(message: string): MillraceError {
  return new MillraceError('REQUEST_INVALID', message);
}

export function nameMismatch(inConfig: string, inUrl: string): MillraceError {
  return badRequest(`Connector name configuration (${inConfig}) doesn't match connector name in the URL (${inUrl})`);
}

export function noConnectorClass(config: GivenConfig): MillraceError {
  return badRequest(`Connector config ${javaMapText(config)} contains no connector type`);
}

export function invalidConfig(errors: readonly string[]): MillraceError {
  const list = errors.map((error) => `\n${error}`).join('');
  return badRequest(
    `Connector configuration is invalid and contains the following ${errors.length} error(s):${list}\n` +
      'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
  );
}

export function notStopped(name: string): MillraceError {
  return badRequest(
    'Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector ' +
      `by issuing a 'PUT' request to the '/connectors/${name}/stop' endpoint`,
  );
}

/** `{a=b, c=d}`, in the order of a java.util.HashMap that was copied: by the hash of the key in a table of this size. */
function javaMapText(map: GivenConfig): string {
  const entries = Object.entries(map);
  let size = 1;
  while (size < entries.length / 0.75 + 1) size *= 2;
  const bucket = (key: string): number => {
    const hash = javaHash(key);
    return (hash ^ (hash >>> 16)) & (size - 1);
  };
  const sorted = entries.map(([key, value]) => ({ at: bucket(key), text: `${key}=${value ?? 'null'}` })).sort((a, b) => a.at - b.at);
  return `{${sorted.map(({ text }) => text).join(', ')}}`;
}

/** String.hashCode. */
function javaHash(text: string): number {
  let hash = 0;
  for (let at = 0; at < text.length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  return hash;
}
