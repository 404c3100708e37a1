import { createHash } from 'node:crypto';
import { tableName, type TableId } from '../../event/table-schema.ts';
import { collision, type ReplicaName, type ReplicaNaming } from '../replica-names.ts';

/**
 * What names become: `upper`, so that they need no quotes in queries, or `preserve`, as they are in the source.
 */
export type IdentifierCase = 'upper' | 'preserve';

/** Snowflake's longest identifier. */
const longest = 255;

export function identifierOf(name: string, letters: IdentifierCase): string {
  return letters === 'upper' ? name.toUpperCase() : name;
}

/** The naming of tables, as Snowflake has them. */
export function createSnowflakeNaming(naming: ReplicaNaming, letters: IdentifierCase): ReplicaNaming {
  return (source, table) => {
    const { schema, table: name } = naming(source, table);
    return { schema: identifierOf(schema, letters), table: identifierOf(name, letters) };
  };
}

/** Names that are quoted are one only if they are equal. */
export function exactName({ schema, table }: ReplicaName): string {
  return `${schema}\n${table}`;
}

/** @throws NAME_COLLISION when the name is Snowflake's or Millrace's own, or too long */
export function checkIdentifiers(name: ReplicaName, table: TableId, ownSchema: string): void {
  const { schema, table: own } = name;
  if (schema === 'INFORMATION_SCHEMA' || schema === ownSchema || schema === '' || own === '') {
    throw collision(`${tableName(table)} would be ${schema}.${own} in the replica, which is reserved`, table);
  }
  if (schema.length > longest || own.length > longest) {
    throw collision(`${tableName(table)} would be ${schema}.${own} in the replica, a name of more than ${longest} characters`, table);
  }
}

/** A part of the names of Millrace's own tables: the connector's name, told apart from others that look like it. */
export function ownIdentifier(connector: string): string {
  const plain = connector.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_');
  // two underscores end the part: no name may begin with another's and those
  if (plain === connector && plain.length <= 100 && !/__|_$/.test(plain)) return plain;
  return `${plain.slice(0, 100).replaceAll(/_+/g, '_').replace(/_$/, '')}_${createHash('sha256').update(connector).digest('hex').slice(0, 8).toUpperCase()}`;
}
