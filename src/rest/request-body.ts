/**
 * Bodies as Kafka Connect's JSON library takes them: numbers and booleans in the place of texts are texts, members that are
 * not known are refused. What it answers by 500 and a text of its own is a 400 here.
 */
import { messageOf, MillraceError } from '../base/errors.ts';
import { initialStateOf } from '../worker/connect-service.ts';
import type { ConnectorOffset, GivenConfig, InitialState } from '../worker/connect-service.ts';

/** A number with the digits it came with. */
export class JsonNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export interface CreateBody {
  readonly name: string;
  readonly config: GivenConfig;
  readonly initialState?: InitialState;
}

/** @throws REQUEST_INVALID */
export function parseJson(bytes: Buffer): unknown {
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  if (text.trim() === '') throw invalid('The request has no body.');
  try {
    return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) =>
      typeof value === 'number' ? new JsonNumber(context?.source ?? String(value)) : value,
    );
  } catch (cause) {
    throw invalid(`The request's body is not JSON: ${messageOf(cause)}`, cause);
  }
}

/** In a path, where names are percent-encoded. */
const longestName = 8000;

/** Body of POST /connectors. */
export function readCreateBody(body: unknown): CreateBody {
  const members = readObject(body, 'The request');
  const known = ['name', 'config', 'initial_state'];
  const unknown = Object.keys(members).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(`Unrecognized field "${unknown}"; a connector has ${known.join(', ')}.`);
  if (members['config'] === undefined || members['config'] === null) throw invalid('The request has no "config".');
  const config = readConfigBody(members['config']);
  const state = members['initial_state'];
  const initialState = state === undefined || state === null ? undefined : readInitialState(state);
  const name = readText(members['name'] ?? null, 'name') ?? '';
  if (!name.isWellFormed()) throw invalid('The name has half of a character (a surrogate alone).');
  if (encodeURIComponent(name).length > longestName) throw invalid('The name is too long: no request could ask for the connector.');
  return { name: trimName(name), config, ...(initialState === undefined ? {} : { initialState }) };
}

/** Body of PUT and PATCH of a configuration. */
export function readConfigBody(body: unknown): GivenConfig {
  const members = readObject(body, 'The configuration');
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, readText(value, name)]));
}

/** Body of PATCH /connectors/{name}/offsets. */
export function readOffsetsBody(body: unknown): readonly ConnectorOffset[] | undefined {
  const members = readObject(body, 'The request');
  const unknown = Object.keys(members).find((name) => name !== 'offsets');
  if (unknown !== undefined) throw invalid(`Unrecognized field "${unknown}"; the request has "offsets".`);
  const { offsets } = members;
  if (offsets === undefined || offsets === null) return undefined;
  if (!Array.isArray(offsets)) throw invalid('"offsets" must be a list.');
  return offsets.map((entry: unknown) => {
    const pair = readObject(entry, 'Each of "offsets"');
    const other = Object.keys(pair).find((name) => name !== 'partition' && name !== 'offset');
    if (other !== undefined) throw invalid(`Unrecognized field "${other}"; each of "offsets" has "partition" and "offset".`);
    return { partition: readMap(pair['partition'], 'partition'), offset: readMap(pair['offset'], 'offset') };
  });
}

/** Body of PUT /admin/loggers/{logger}; undefined: no level. */
export function readLevelBody(body: unknown): string | undefined {
  return readText(readObject(body, 'The request')['level'] ?? null, 'level') ?? undefined;
}

function readMap(value: unknown, what: string): Readonly<Record<string, unknown>> | null {
  if (value === undefined || value === null) return null;
  return Object.fromEntries(Object.entries(readObject(value, `"${what}"`)).map(([name, member]) => [name, plain(member)]));
}

/** Numbers of 64 bits keep their digits as bigints. */
function plain(value: unknown): unknown {
  if (!(value instanceof JsonNumber)) return value;
  const number = Number(value.text);
  return /^-?\d+$/.test(value.text) && !Number.isSafeInteger(number) ? BigInt(value.text) : number;
}

function readInitialState(value: unknown): InitialState {
  const state = initialStateOf(value);
  if (state !== undefined) return state;
  throw invalid('"initial_state" must be RUNNING, PAUSED or STOPPED.');
}

function readObject(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof JsonNumber) {
    throw invalid(`${what} must be a JSON object.`);
  }
  return Object.fromEntries(Object.entries(value));
}

function readText(value: unknown, name: string): string | null {
  if (value === null || typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (value instanceof JsonNumber) return value.text;
  throw invalid(`The value of "${name}" must be a text.`);
}

/** Blanks and control characters of ASCII around a name count as nothing, as in Java's `trim`. */
function trimName(name: string): string {
  return name.replaceAll(/^[\u0000-\u0020]+|[\u0000-\u0020]+$/g, '');
}

function invalid(message: string, cause?: unknown): MillraceError {
  return new MillraceError('REQUEST_INVALID', message, cause === undefined ? {} : { cause });
}
