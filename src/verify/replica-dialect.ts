import type { SqlSteps } from './exact-double.ts';
import type { SourceColumn } from './source-columns.ts';
import type { VerifyTable } from './verify.ts';

/** A column of both sides: how each prints the canonical text, and what a replaced value counts as. */
export interface ComparedColumn {
  readonly name: string;
  readonly sourceSql: string;
  /** Canonical text of the source's text; null: the replica holds NULL in its place (a substitution). */
  readonly fromSource: (text: string) => string | null;
  /** Select expression of the replica: canonical text or NULL. */
  readonly replicaSql: string;
  /** Expressions that it uses by their names, each of which may use those before it. */
  readonly replicaSteps?: SqlSteps['steps'];
  /**
   * Of a type that has several texts for one value: whether two that are not the same text are one value; undefined: nothing
   * tells. Absent: they are not.
   */
  readonly isSame?: (source: string, replica: string) => boolean | undefined;
  /** A canonical text as people read it; absent: as it is. */
  readonly shown?: (text: string) => string;
}

/** What is compared of a table. */
export interface HashedTable {
  /** As `nameOf` gives it. */
  readonly name: string;
  readonly columns: readonly ComparedColumn[];
  /** Positions of the columns that a row's bucket follows from; see `bucketColumns`. */
  readonly key: readonly number[];
  /** Hex digits of a bucket's name. */
  readonly digits: number;
}

/**
 * The SQL of a kind of replica. Rows are hashed there as here: a row's text is, for each column, `<bytes>:<canonical text>`, or
 * `-` for NULL, joined with `|`; its bucket is the begin of the MD5 of the text of some of its columns, made the same way.
 */
export interface ReplicaDialect {
  /** Name of a table in a query. */
  nameOf(table: VerifyTable): string;
  /** Asks for name and declared type of each column of a table. */
  typesSql(table: VerifyTable): string;
  /**
   * Pairs a source column with the replica's, whose declared type says how values were meant to arrive.
   * @throws VERIFY_UNDECIDED when the pair of types is none that can be compared
   */
  compareColumn(source: SourceColumn, replica: { readonly name: string; readonly type: string }): ComparedColumn;
  /** Asks for bucket, rows, and the XORs and the sum (modulo 2³²) of three words of the MD5 of the rows. */
  checksumsSql(table: HashedTable): string;
  /** Asks for the canonical texts of the rows of some buckets. */
  rowsSql(table: HashedTable, buckets: readonly string[]): string;
}
