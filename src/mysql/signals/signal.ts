import { isJsonObject } from '../../base/json-object.ts';
import { messageOf } from '../../base/errors.ts';
import { compileJavaRegex } from '../../config/java-regex.ts';

/** What someone asks a source for, through one of its channels. */
export interface Signal {
  readonly id: string;
  readonly type: string;
  /** JSON, as it came. */
  readonly data: string | null;
  /** Where it came through, for messages. */
  readonly channel: 'source' | 'kafka' | 'file' | 'api';
  /** Value of its record in the signal topic, whose key is `topic.prefix`. */
  readonly record?: string;
}

/** What an `execute-snapshot` or `stop-snapshot` names. */
export interface SnapshotSignal {
  readonly kind: 'incremental' | 'blocking';
  /** Java regular expressions of `database.table`; empty in `stop-snapshot`: all. */
  readonly collections: readonly string[];
  readonly conditions: readonly { readonly collection: string; readonly filter: string }[];
  readonly surrogateKey: string | undefined;
}

/** Members of a JSON object; none of any other text. */
export function membersOf(data: string | null): Readonly<Record<string, unknown>> {
  if (data === null || data.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(data);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** Undefined, or what is wrong with the text of a signal's data. */
export function dataProblem(data: string | null): string | undefined {
  if (data === null || data.trim() === '') return undefined;
  try {
    JSON.parse(data);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** @throws CONFIG_INVALID, CONFIG_UNSUPPORTED for a regular expression that cannot be used */
export function readSnapshotSignal({ data }: Signal): SnapshotSignal {
  const members = membersOf(data);
  const type = typeof members['type'] === 'string' ? members['type'].toLowerCase() : 'incremental';
  const collections = textsOf(members['data-collections']);
  const conditions = arrayOf(members['additional-conditions']).flatMap((item) => {
    const { 'data-collection': collection, filter } = objectOf(item);
    return typeof collection === 'string' && typeof filter === 'string' ? [{ collection: collection.trim(), filter }] : [];
  });
  // The form of older versions: one condition for all tables.
  const forAll = members['additional-condition'];
  if (typeof forAll === 'string' && forAll.trim() !== '') {
    for (const collection of collections) conditions.push({ collection, filter: forAll });
  }
  for (const pattern of [...collections, ...conditions.map(({ collection }) => collection)]) compileJavaRegex(pattern);
  const key = members['surrogate-key'];
  return {
    kind: type === 'blocking' ? 'blocking' : 'incremental',
    collections,
    conditions,
    surrogateKey: typeof key === 'string' && key.trim() !== '' ? key.trim() : undefined,
  };
}

/** A signal as JSON text of a file's line or of a topic's record: `{"id", "type", "data"}`; undefined: it is none. */
export function parseSignal(text: string, channel: Signal['channel'], fallbackId: string): Signal | undefined {
  const members = membersOf(text);
  const { id, type, data } = members;
  if (typeof type !== 'string' || type === '') return undefined;
  return {
    id: typeof id === 'string' && id !== '' ? id : fallbackId,
    type,
    data: data === undefined || data === null ? null : typeof data === 'string' ? data : JSON.stringify(data),
    channel,
  };
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textsOf(value: unknown): readonly string[] {
  return arrayOf(value).flatMap((item) => (typeof item === 'string' && item.trim() !== '' ? item.trim() : []));
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
