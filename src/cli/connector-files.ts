import { initialStateOf, initialStates } from '../worker/connect-service.ts';
import type { InitialState } from '../worker/connect-service.ts';
import { isJsonObject } from '../base/json-object.ts';
import { readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { MillraceError } from '../base/errors.ts';
import { resolveProviders } from '../config/config-providers.ts';
import { parseJavaProperties } from '../config/java-properties.ts';
import type { ConnectorConfig } from '../connect/connector.ts';

/**
 * Reads connector files: Kafka Connect's `{"name", "config"}`, a list of those, a flat object with `name` and
 * `connector.class`, or a standalone worker's `.properties` file. `${env:…}`, `${file:…}` and `${dir:…}` are replaced.
 *
 * @throws CONFIG_UNREADABLE, CONFIG_INVALID naming file and place
 */
export function readConnectorFiles(files: readonly string[]): readonly ConnectorConfig[] {
  return readUnresolvedFiles(files).map(({ file, connector }) => resolve(connector, file));
}

/** What a file says of a connector. */
export interface FiledConnector {
  readonly file: string;
  readonly connector: ConnectorConfig;
  /** `initial_state` of a new one. */
  readonly initialState?: InitialState;
}

/** As `readConnectorFiles`, with references as they are. */
export function readUnresolvedFiles(files: readonly string[]): readonly FiledConnector[] {
  const found = files.flatMap(readConnectorFile);
  const names = new Set<string>();
  for (const { connector } of found) {
    const { name } = connector;
    if (names.has(name)) {
      throw new MillraceError('CONFIG_INVALID', `Two connectors have the name "${name}".`, { nextStep: 'Give each its own name.' });
    }
    names.add(name);
  }
  return found;
}

function readConnectorFile(file: string): readonly FiledConnector[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new MillraceError('CONFIG_UNREADABLE', `The connector file ${file} cannot be read.`, { cause });
  }
  if (extname(file) === '.properties') {
    const config = Object.fromEntries(parseJavaProperties(text));
    return [{ file, connector: { name: config['name'] ?? basename(file, '.properties'), config } }];
  }
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new MillraceError('CONFIG_UNREADABLE', `The connector file ${file} is not JSON.`, { cause });
  }
  if (Array.isArray(json) && json.length === 0) throw invalid(file, 'its list is empty');
  return (Array.isArray(json) ? json : [json]).map((each: unknown) => readConnector(each, file));
}

function readConnector(json: unknown, file: string): FiledConnector {
  if (!isJsonObject(json)) throw invalid(file, 'it must be an object {"name", "config"}');
  const isFlat = json['config'] === undefined && json['connector.class'] !== undefined;
  const config = isFlat ? json : json['config'];
  if (!isJsonObject(config)) throw invalid(file, 'it has no "config" object');
  const name = json['name'] ?? config['name'];
  if (typeof name !== 'string' || name.trim() === '') throw invalid(file, 'it has no "name"');
  const properties: Record<string, string> = {};
  for (const [key, value] of Object.entries(config)) {
    // Kafka Connect turns numbers and booleans into text; null and nested values it refuses.
    if (typeof value === 'string') properties[key] = value;
    else if (typeof value === 'number' || typeof value === 'boolean') properties[key] = String(value);
    else throw invalid(file, `the value of "${key}" must be a text`);
  }
  const state = isFlat ? undefined : json['initial_state'];
  const connector = { name: name.trim(), config: properties };
  if (state === undefined || state === null) return { file, connector };
  const initialState = initialStateOf(state);
  if (initialState === undefined) throw invalid(file, `its "initial_state" must be one of ${initialStates.join(', ')}`);
  return { file, connector, initialState };
}

function resolve({ name, config }: ConnectorConfig, file: string): ConnectorConfig {
  const { properties, unresolved } = resolveProviders(config);
  if (unresolved.length > 0) {
    throw new MillraceError('CONFIG_INVALID', `The connector file ${file} refers to what is not there: ${unresolved.join('; ')}`, {
      nextStep: 'Set the environment variable, or correct the reference.',
    });
  }
  return { name, config: properties };
}

function invalid(file: string, what: string): MillraceError {
  return new MillraceError('CONFIG_INVALID', `The connector file ${file} is no connector: ${what}.`, {
    nextStep: 'Write it as Kafka Connect takes it: {"name": "…", "config": {"connector.class": "…", …}}.',
  });
}
