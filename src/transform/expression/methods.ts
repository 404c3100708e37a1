import type { ConnectValue } from '../../connect/data.ts';
import { isArray, isMap, isStruct } from '../../connect/schema.ts';
import { compileJavaPattern } from '../../config/java-pattern.ts';
import { equals, evaluationFault, isNumeric, kindOf, memberOf } from './scope.ts';

/** A method of texts, lists, maps and structs: the arguments that it takes, and what it gives. */
interface Method {
  readonly arguments: number;
  call(owner: ConnectValue, given: readonly ConnectValue[]): ConnectValue | undefined;
}

type TextMethod = (text: string, first: string) => ConnectValue;

function ofText(count: number, call: TextMethod): Method {
  return {
    arguments: count,
    call(owner, [first = '']) {
      if (typeof owner !== 'string') return undefined;
      if (typeof first !== 'string') throw evaluationFault(`a text is due, not ${kindOf(first)}`);
      return call(owner, first);
    },
  };
}

const contains: Method = {
  arguments: 1,
  call(owner, [item = null]) {
    if (typeof owner === 'string') return typeof item === 'string' && owner.includes(item);
    return isArray(owner) ? owner.some((each) => equals(each, item)) : undefined;
  },
};

const size: Method = {
  arguments: 0,
  call: (owner) => (typeof owner === 'string' || isArray(owner) ? owner.length : isMap(owner) ? owner.size : undefined),
};

function part(at: number): Method {
  return {
    arguments: at,
    call(owner, [from = null, to = null]) {
      if (typeof owner !== 'string') return undefined;
      if (!isNumeric(from) || !(to === null || isNumeric(to))) throw evaluationFault('substring takes numbers');
      return owner.substring(Number(from), to === null ? undefined : Number(to));
    },
  };
}

const methods: Readonly<Record<string, readonly Method[]>> = {
  startsWith: [ofText(1, (text, start) => text.startsWith(start))],
  endsWith: [ofText(1, (text, end) => text.endsWith(end))],
  includes: [contains],
  contains: [contains],
  indexOf: [ofText(1, (text, found) => text.indexOf(found))],
  toLowerCase: [ofText(0, (text) => text.toLowerCase())],
  toUpperCase: [ofText(0, (text) => text.toUpperCase())],
  trim: [ofText(0, (text) => text.trim())],
  equals: [{ arguments: 1, call: (owner, [other = null]) => equals(owner, other) }],
  equalsIgnoreCase: [ofText(1, (text, other) => text.toLowerCase() === other.toLowerCase())],
  matches: [ofText(1, (text, pattern) => javaPattern(pattern).matches(text))],
  substring: [part(1), part(2)],
  isEmpty: [
    {
      arguments: 0,
      call: (owner) => {
        const length = size.call(owner, []);
        return length === undefined ? undefined : length === 0;
      },
    },
  ],
  length: [size],
  size: [size],
  get: [
    {
      arguments: 1,
      call: (owner, [name = null]) => (isStruct(owner) || isMap(owner) || isArray(owner) ? memberOf(owner, name, 'it') : undefined),
    },
  ],
  containsKey: [{ arguments: 1, call: (owner, [name = null]) => (isMap(owner) ? owner.has(name) : undefined) }],
};

export const methodNames: readonly string[] = Object.keys(methods);

/** The method of this name with so many arguments; undefined: there is none. */
export function findMethod(name: string, count: number): Method | undefined {
  return Object.hasOwn(methods, name) ? methods[name]?.find((method) => method.arguments === count) : undefined;
}

const patterns = new Map<string, ReturnType<typeof compileJavaPattern>>();

function javaPattern(text: string): ReturnType<typeof compileJavaPattern> {
  let pattern = patterns.get(text);
  if (pattern === undefined) {
    if (patterns.size >= 100) patterns.clear();
    patterns.set(text, (pattern = compileJavaPattern(text)));
  }
  return pattern;
}
