/** A statement, or a `-- @verb arguments` line between statements. */
export type Step = { readonly kind: 'sql'; readonly sql: string } | Directive;

export interface Directive {
  readonly kind: 'directive';
  /** `quiet`, `sleep`, `stop`, `pause`, `resume`, `restart-task`, `offsets`, `signal`, `waitlog`, `reconnect`. */
  readonly verb: string;
  readonly rest: string;
}

/** A statement ends with `;` at the end of a line, and may span lines. */
export function splitStatements(script: string): readonly Step[] {
  const steps: Step[] = [];
  let sql = '';
  for (const line of script.split('\n')) {
    const isFirst = sql === '';
    const [, verb, rest] = /^-- @(\S+) *(.*)$/.exec(line) ?? [];
    if (isFirst && verb !== undefined) steps.push({ kind: 'directive', verb, rest: (rest ?? '').trim() });
    else if (isFirst && (line.trim() === '' || line.startsWith('--'))) continue;
    else {
      sql += isFirst ? line : `\n${line}`;
      if (!/;\s*$/.test(line)) continue;
      steps.push({ kind: 'sql', sql: sql.replace(/;\s*$/, '') });
      sql = '';
    }
  }
  if (sql.trim() !== '') steps.push({ kind: 'sql', sql });
  return steps;
}
