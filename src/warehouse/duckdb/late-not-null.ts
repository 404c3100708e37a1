import { failpoint } from '../../base/failpoint.ts';
import { BookChanges, type Book } from '../book.ts';
import { writeTarget } from '../table-record.ts';
import { saveRecords } from './bookkeeping.ts';
import { quoted, type Session } from './session.ts';
import { qualifiedTarget } from './transaction.ts';

/**
 * Makes columns NOT NULL that were added with a value. DuckDB can do either in a transaction, not both, and a new table
 * in one would copy every row: 3.9 s in place of 35 ms for 5 million rows, at twice the file. So the record says that this
 * is still to be done, and it is before anything else is committed, in this life or the next.
 */
export async function setLateNotNull(session: Session, book: Book): Promise<void> {
  for (const { lateNotNull, ...record } of book.late) {
    const target = writeTarget(record);
    const changes = new BookChanges(book);
    changes.set(record);
    await session.run('BEGIN TRANSACTION');
    try {
      if (target !== undefined && lateNotNull !== undefined) {
        await session.run(`ALTER TABLE ${qualifiedTarget(record, target.name)} ALTER ${quoted(lateNotNull)} SET NOT NULL`);
      }
      await saveRecords(session, changes);
      await session.run('COMMIT');
    } catch (error) {
      await session.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
    failpoint('notNull');
    changes.apply();
  }
}
