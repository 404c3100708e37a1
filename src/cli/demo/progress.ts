/** The demo's view of the worker: on a terminal one block that is drawn anew, in a pipe a plain line every while. */
import type { Herder } from '../../worker/herder.ts';
import { createRateMeter } from '../../worker/metrics.ts';
import type { RowCount } from '../../worker/thread-messages.ts';
import { formatBytes, formatCount, formatDuration } from '../table-text.ts';
import type { Paint } from '../terminal.ts';

export interface ProgressOptions {
  readonly herder: Herder;
  readonly rowCounts: () => Promise<readonly RowCount[]>;
  readonly paint: Paint;
  /** Redraw in place. */
  readonly live: boolean;
  readonly write: (text: string) => void;
}

export interface Progress extends Disposable {
  /** Says something in its own line, above the block. */
  say(text: string): void;
  /** What goes on, shown with the rest. */
  setPhase(text: string): void;
}

const liveMs = 250;
const plainMs = 2000;
const repeatMs = 15_000;
const rowCountMs = 1000;

/** Shows progress until it is disposed. */
export function startProgress({ herder, rowCounts, paint, live, write }: ProgressOptions): Progress {
  const snapshotRate = createRateMeter(10_000);
  const changeRate = createRateMeter(3000);
  let phase = '';
  let tables: readonly RowCount[] = [];
  let drawn = 0;
  let lastText = '';
  let lastTextMs = 0;

  const observe = (): void => {
    const sources = herder.sourceMetrics();
    snapshotRate.observe(sources.reduce((sum, each) => sum + each.snapshotRows, 0));
    changeRate.observe(herder.sinkMetrics().reduce((sum, each) => sum + each.changes, 0));
  };

  const describe = (): readonly string[] => {
    const lines: string[] = [];
    for (const { snapshot, waiting } of herder.sourceMetrics()) {
      const open = snapshot.filter((table) => !table.done);
      if (open.length > 0) {
        const rows = snapshot.reduce((sum, table) => sum + table.rows, 0);
        // The server's estimates may be far off: what is read already counts at least as such.
        const all = snapshot.reduce((sum, table) => sum + (table.done ? table.rows : Math.max(table.rows, table.estimatedRows)), 0);
        const rate = snapshotRate.perSecond();
        const eta = rate > 0 ? `, done in about ${formatDuration(((all - rows) / rate) * 1000)}` : '';
        lines.push(
          `snapshot   ${formatCount(rows)} of about ${formatCount(all)} rows, ${snapshot.length - open.length} of ${snapshot.length} tables, ${formatCount(rate)} rows/s${eta}`,
        );
      }
      if (waiting !== undefined) lines.push(paint('yellow', `waiting    ${waiting}`));
    }
    const sinks = herder.sinkMetrics();
    for (const { error } of [...herder.sourceMetrics(), ...sinks]) {
      if (error !== undefined) lines.push(paint('yellow', `trouble    ${error.code}: ${error.message}`));
    }
    const behind = sinks.flatMap((sink) => sink.sources).reduce((sum, source) => sum + source.behind, 0);
    const fresh = sinks.map((sink) => sink.freshnessMs).find((value) => value !== undefined);
    const worst = sinks.map((sink) => sink.worstFreshnessMs).find((value) => value !== undefined);
    const freshness =
      fresh === undefined
        ? ''
        : `, in the replica ${formatDuration(fresh)} after the commit${worst === undefined ? '' : ` (worst of 10 s: ${formatDuration(worst)})`}`;
    lines.push(
      `changes    ${formatCount(changeRate.perSecond())}/s${freshness}, lag ${behind === 0 ? 'none' : `${formatCount(behind)} groups`}`,
    );
    const logBytes = herder.sourceMetrics().reduce((sum, each) => Math.max(sum, each.logBytes), 0);
    lines.push(`log        ${formatBytes(logBytes)}`);
    if (tables.length > 0) {
      const counts = tables.map(
        ({ table, rows, loading }) =>
          `${table.slice(table.indexOf('.') + 1)} ${rows === undefined ? `(${formatCount(loading ?? 0)})` : formatCount(rows)}`,
      );
      lines.push(`replica    ${counts.join(' · ')}`);
    }
    return lines;
  };

  const clear = (): void => {
    if (drawn > 0) write(`\u001b[${drawn}A\u001b[0J`);
    drawn = 0;
  };

  const draw = (): void => {
    observe();
    if (!live) {
      const text = `${[phase, ...describe()].map((line) => line.replaceAll(/ {2,}/g, ' ')).join(' | ')}\n`;
      // A log that says the same again and again hides what it says.
      if (text !== lastText || performance.now() - lastTextMs > repeatMs) {
        write(text);
        lastText = text;
        lastTextMs = performance.now();
      }
      return;
    }
    clear();
    const width = process.stdout.columns;
    const lines = [paint('bold', phase), ...describe()].flatMap((line) => wrap(line, width));
    write(`${lines.join('\n')}\n`);
    drawn = lines.length;
  };

  const timer = setInterval(draw, live ? liveMs : plainMs);
  const counting = setInterval(() => {
    rowCounts().then(
      (counts) => {
        tables = counts;
      },
      // The thread is busy or gone; the next answer will do.
      () => undefined,
    );
  }, rowCountMs);
  return {
    say(text) {
      clear();
      write(`${text}\n`);
    },
    setPhase(text) {
      if (!live && text !== phase) write(`${text}\n`);
      phase = text;
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      clearInterval(counting);
      if (live) draw();
      drawn = 0;
    },
  };
}

/** Lines as the terminal would break them, so that their number is known when they are drawn over. */
function wrap(line: string, width: number): readonly string[] {
  const plain = line.replaceAll(/\u001b\[\d+m/g, '');
  if (width <= 0 || plain.length < width) return [line];
  const lines: string[] = [];
  for (let rest = plain; rest.length > 0; rest = rest.slice(width - 1)) lines.push(rest.slice(0, width - 1));
  return lines;
}
