import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isMillraceError } from '../base/errors.ts';
import { compileJavaPattern } from './java-pattern.ts';
import { compileJavaRegex } from './java-regex.ts';

/**
 * What java.util.regex of OpenJDK 17 answered: `Pattern.compile(pattern, CASE_INSENSITIVE).matcher(text).matches()`, then the same
 * without the flag, as bits over the texts, or `error`. The patterns go through the constructs of its documentation in order.
 */
interface Corpus {
  readonly texts: readonly string[];
  readonly patterns: readonly (readonly [pattern: string, ignoringCase: string, heedingCase: string])[];
}
const corpus: Corpus = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/java-regex.json'), 'utf8'));

/** Constructs that are refused though Java has them, and the name that the refusal gives them. */
const refused: Readonly<Record<string, string>> = {
  '\\N{LATIN SMALL LETTER A}': '\\N',
  '[a-c&&]': 'an intersection with nothing',
  '\\X': '\\X',
  '\\p{javaLowerCase}': '\\p{javaLowerCase}',
  '\\p{javaUpperCase}': '\\p{javaUpperCase}',
  '\\p{javaWhitespace}': '\\p{javaWhitespace}',
  '\\p{javaMirrored}': '\\p{javaMirrored}',
  '\\p{InGreek}': '\\p{InGreek}',
  '\\p{InBasicLatin}': '\\p{InBasicLatin}',
  '\\p{L1}': '\\p{L1}',
  '\\p{LD}': '\\p{LD}',
  '\\p{all}': '\\p{all}',
  '\\p{block=Greek}': '\\p{block=Greek}',
  '\\p{blk=Greek}': '\\p{blk=Greek}',
  '\\b{g}a': '\\b{…}',
  '{2}': '{2}',
  'x{2}{3}': '{2}',
  'x?+': '?+',
  'x*+': '*+',
  'x++': '++',
  'x{2}+': '{2}+',
  '\\1': '\\1',
  '\\1(x)': '\\1',
  '(x)\\2': '\\2',
  '\\8': '\\8',
  '(x)?\\1y': '\\1',
  '(?m)^a$': '(?m)',
  '(?x) x y # z': '(?x)',
  '(?u)É': '(?u)',
  '(?iu)É': '(?u)',
  '(?U)\\w': '(?U)',
  '(?d).': '(?d)',
  '(?d-i)x': '(?d)',
  '(?>x|xx)y': '(?>…)',
  '(?>x*)y': '(?>…)',
};

/** Unknown to Java 17, known to Java 21. */
const newer: readonly string[] = ['\\p{IsEmoji}'];

function ignoringCase(pattern: string): (text: string) => boolean {
  const compiled = compileJavaRegex(pattern);
  return (text) => compiled.test(text);
}

function heedingCase(pattern: string): (text: string) => boolean {
  const compiled = compileJavaPattern(pattern);
  return (text) => compiled.matches(text);
}

const ways = [
  { how: 'ignoring case', column: 1, compile: ignoringCase },
  { how: 'heeding case', column: 2, compile: heedingCase },
] as const;

for (const { how, column, compile } of ways) {
  test(`patterns match what they match in Java, or are refused by name, ${how}`, () => {
    for (const line of corpus.patterns) {
      const pattern = line[0];
      if (newer.includes(pattern)) continue;
      const named = refused[pattern];
      const expected = line[column];
      if (named !== undefined || expected === 'error') {
        assert.throws(
          () => compile(pattern)(''),
          (error: unknown) => {
            assert.ok(isMillraceError(error), pattern);
            assert.ok(error.message.includes(`"${pattern}"`) && error.message.includes(named ?? ''), error.message);
            if (named !== undefined) assert.equal(error.code, 'CONFIG_UNSUPPORTED', pattern);
            return true;
          },
          pattern,
        );
        continue;
      }
      const matches = compile(pattern);
      const wrong = corpus.texts.filter((text, i) => matches(text) !== isSet(expected, i));
      assert.deepEqual(wrong, [], `${pattern} matches ${JSON.stringify(wrong)} otherwise than in Java`);
    }
  });
}

function isSet(hex: string, bit: number): boolean {
  return ((Number.parseInt(hex[bit >> 2] ?? '0', 16) << (bit & 3)) & 8) !== 0;
}
