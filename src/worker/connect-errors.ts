/** The refusals of Kafka Connect's REST API, word for word. */
import { MillraceError } from '../base/errors.ts';
import type { GivenConfig } from './connect-service.ts';
import { inJavaOrder } from '../base/java-hash.ts';

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

/** `{a=b, c=d}`. */
function javaMapText(map: GivenConfig): string {
  const entries = inJavaOrder(Object.entries(map), ([key]) => key, 'copied');
  return `{${entries.map(([key, value]) => `${key}=${value ?? 'null'}`).join(', ')}}`;
}
