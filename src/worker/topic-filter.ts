import { compileJavaPattern } from '../config/java-pattern.ts';

/** Which topics a sink's `topics` or `topics.regex` lets in; none when they cannot be read. */
export function sinkTopicFilter(config: Readonly<Record<string, string>>): (topic: string) => boolean {
  const names = new Set(
    (config['topics'] ?? '')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  );
  if (names.size > 0) return (topic) => names.has(topic);
  const pattern = config['topics.regex'] ?? '';
  if (pattern === '') return () => false;
  try {
    const exact = compileJavaPattern(pattern);
    return (topic) => exact.matches(topic);
  } catch {
    return () => false;
  }
}
