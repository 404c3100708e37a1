import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { MillraceError } from '../base/errors.ts';
import { parseJavaProperties } from '../config/java-properties.ts';

/** Kafka Connect's extension, by its name. */
const extensionClass = 'org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension';
const loginModule = 'org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule';
const challenge = 'Basic';

export interface AuthenticationSettings {
  /** `rest.extension.classes`. */
  readonly extensions: readonly string[];
  /** `millrace.rest.users.file`: lines of name=password. */
  readonly usersFile: string | undefined;
  /** `KAFKA_OPTS` of Kafka Connect's scripts, which names the JAAS file. */
  readonly javaOptions: string | undefined;
}

/** Gives the challenge for a request that is refused. */
export type Authenticate = (request: IncomingMessage) => string | undefined;

/**
 * Names and passwords for the REST API, as Connect's extension takes them or from a file; undefined: none are asked for.
 *
 * @throws CONFIG_INVALID, CONFIG_UNSUPPORTED for another extension, CONFIG_UNREADABLE
 */
export function readAuthentication({ extensions, usersFile, javaOptions }: AuthenticationSettings): Authenticate | undefined {
  const other = extensions.find((name) => name !== extensionClass);
  if (other !== undefined) {
    throw new MillraceError('CONFIG_UNSUPPORTED', `rest.extension.classes: Millrace has no ${other}.`, {
      nextStep: `It has ${extensionClass}.`,
    });
  }
  const files = [
    ...(usersFile === undefined || usersFile === '' ? [] : [usersFile]),
    ...(extensions.length === 0 ? [] : [credentialsFileOf(javaOptions, usersFile)].filter((file) => file !== undefined)),
  ];
  if (files.length === 0) return undefined;
  const users = new Map(files.flatMap((file) => [...parseJavaProperties(readText(file))]));
  return ({ headers }) => (isUser(users, headers.authorization) ? undefined : challenge);
}

/** Of `KafkaConnect { …PropertyFileLoginModule required file="…"; };` in the JAAS file. */
function credentialsFileOf(javaOptions: string | undefined, usersFile: string | undefined): string | undefined {
  const jaas = /-Djava\.security\.auth\.login\.config=(?:"([^"]+)"|(\S+))/.exec(javaOptions ?? '');
  const file = jaas?.[1] ?? jaas?.[2];
  if (file === undefined) {
    if (usersFile !== undefined && usersFile !== '') return undefined;
    throw new MillraceError('CONFIG_INVALID', 'rest.extension.classes asks for names and passwords, and nothing says where they are.', {
      nextStep: 'Set KAFKA_OPTS=-Djava.security.auth.login.config=<JAAS file>, or millrace.rest.users.file=<file of name=password lines>.',
    });
  }
  const text = readText(file).replaceAll(/\/\*[\s\S]*?\*\/|^\s*(?:\/\/|#).*$/gm, '');
  const [, entry] = /\bKafkaConnect\s*\{([^}]*)\}/.exec(text) ?? [];
  const [, credentials] = /\bfile\s*=\s*"([^"]*)"/.exec(entry ?? '') ?? [];
  if (entry?.includes(loginModule) === true && credentials !== undefined) return credentials;
  throw new MillraceError('CONFIG_UNSUPPORTED', `${file} has no entry KafkaConnect with ${loginModule} and its file.`, {
    nextStep: `Write: KafkaConnect { ${loginModule} required file="…"; };`,
  });
}

function isUser(users: ReadonlyMap<string, string>, header: string | undefined): boolean {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header ?? '') ?? [];
  if (encoded === undefined) return false;
  const bytes = Buffer.from(encoded, 'base64');
  // Browsers write UTF-8, Python's requests Latin-1.
  return [bytes.toString('utf8'), bytes.toString('latin1')].map((text) => isRight(users, text)).includes(true);
}

function isRight(users: ReadonlyMap<string, string>, text: string): boolean {
  const [, name = '', password = ''] = /^([^:]*):(.*)$/s.exec(text) ?? [];
  const expected = users.get(name);
  // The same work for a name that is not there: answers tell nothing by their time.
  return timingSafeEqual(digest(expected ?? ''), digest(password)) && expected !== undefined;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new MillraceError('CONFIG_UNREADABLE', `The file ${file} cannot be read.`, { cause });
  }
}
