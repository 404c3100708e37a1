import { alreadyExists, compilationError, doesNotExist } from '../snowflake-error.ts';
import type { Name } from '../sql/ast.ts';
import { type CatalogObject, type DatabaseObject, type MemberKind, nameSpace, type SchemaMember, type SchemaObject } from './objects.ts';
import type { Connection, Store } from './store.ts';

/** The parts of a name that a session fills in. */
export interface Here {
  readonly database: string | undefined;
  readonly schema: string | undefined;
  readonly sessionId: number;
}

const kindNames: Readonly<Record<MemberKind, string>> = {
  table: 'Table',
  view: 'View',
  stage: 'Stage',
  fileFormat: 'File format',
  stream: 'Stream',
  task: 'Task',
};

/** All objects, in memory; what lives longer than a session is written to the store in the transaction of its DDL. */
export class Catalog {
  readonly #store: Store;
  readonly #objects = new Map<number, CatalogObject>();
  readonly #members = new Map<string, SchemaMember>();
  #lastId = 0;

  constructor(store: Store, objects: readonly CatalogObject[]) {
    this.#store = store;
    for (const object of objects) this.#enter(object);
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  all(): readonly CatalogObject[] {
    return [...this.#objects.values()];
  }

  members<K extends MemberKind>(kind: K): readonly Extract<SchemaMember, { kind: K }>[] {
    return [...this.#members.values()].filter((member): member is Extract<SchemaMember, { kind: K }> => member.kind === kind);
  }

  byId(id: number): CatalogObject | undefined {
    return this.#objects.get(id);
  }

  database(name: string): DatabaseObject | undefined {
    return this.all().find((object): object is DatabaseObject => object.kind === 'database' && object.name === name);
  }

  findSchema(database: string, name: string): SchemaObject | undefined {
    return this.all().find(
      (object): object is SchemaObject => object.kind === 'schema' && object.database === database && object.name === name,
    );
  }

  schemaById(id: number): SchemaObject {
    const schema = this.#objects.get(id);
    if (schema?.kind !== 'schema') throw new Error(`no schema ${id}`);
    return schema;
  }

  /** A schema's name of one or two parts. */
  schemaName(name: Name, here: Here): { readonly database: string; readonly name: string } {
    const database = name.length > 1 ? name[0] : here.database;
    if (database === undefined) {
      throw compilationError('090105', '22000', 'Cannot perform operation. This session does not have a current database.');
    }
    if (this.database(database) === undefined) throw doesNotExist('Database', database);
    return { database, name: name.at(-1) ?? '' };
  }

  schema(name: Name, here: Here): SchemaObject {
    const parts = this.schemaName(name, here);
    const schema = this.findSchema(parts.database, parts.name);
    if (schema === undefined) throw doesNotExist('Schema', `${parts.database}.${parts.name}`);
    return schema;
  }

  /** The schema that a name of one to three parts is in, and the last part. */
  place(name: Name, here: Here): { readonly schema: SchemaObject; readonly name: string } {
    const last = name.at(-1) ?? '';
    if (name.length > 1) return { schema: this.schema(name.slice(0, -1), here), name: last };
    if (here.schema === undefined) {
      throw compilationError('090106', '22000', 'Cannot perform operation. This session does not have a current schema.');
    }
    return { schema: this.schema([here.schema], here), name: last };
  }

  /** A session's own temporary object hides another of its name. */
  find(kind: MemberKind, name: Name, here: Here): SchemaMember | undefined {
    const place = this.place(name, here);
    return this.findIn(place.schema.id, kind, place.name, here.sessionId);
  }

  findIn(schemaId: number, kind: MemberKind, name: string, sessionId: number): SchemaMember | undefined {
    return this.#members.get(memberKey(schemaId, kind, name, sessionId)) ?? this.#members.get(memberKey(schemaId, kind, name));
  }

  get<K extends MemberKind>(kind: K, name: Name, here: Here): Extract<SchemaMember, { kind: K }> {
    const member = this.find(kind, name, here);
    if (member === undefined || !isKind(member, kind)) throw doesNotExist(kindNames[kind], this.fullName(name, here));
    return member;
  }

  fullName(name: Name, here: Here): string {
    const place = this.place(name, here);
    return name.length === 1 ? place.name : [place.schema.database, place.schema.name, place.name].join('.');
  }

  /** Makes sure that a new object's name is free in its place. */
  assertFree(schemaId: number, kind: MemberKind, name: string, sessionId: number | undefined): void {
    if (this.#members.has(memberKey(schemaId, kind, name, sessionId))) throw alreadyExists(name);
  }

  /** Writes objects beside the physical changes of a DDL statement; memory follows after the commit, by `enter`. */
  async save(connection: Connection, object: CatalogObject): Promise<void> {
    if ('sessionId' in object && object.sessionId !== undefined) return;
    await connection.run(`DELETE FROM sys_objects WHERE id = ${object.id}`);
    await connection.run('INSERT INTO sys_objects VALUES (?, ?)', [BigInt(object.id), JSON.stringify(object)]);
  }

  async forget(connection: Connection, object: CatalogObject): Promise<void> {
    await connection.run(`DELETE FROM sys_objects WHERE id = ${object.id}`);
  }

  /** After the commit: the object as it is now. */
  enter(...objects: readonly CatalogObject[]): void {
    for (const object of objects) this.remove(object.id);
    for (const object of objects) this.#enter(object);
  }

  remove(id: number): void {
    this.#objects.delete(id);
    for (const [key, member] of this.#members) if (member.id === id) this.#members.delete(key);
  }

  get store(): Store {
    return this.#store;
  }

  #enter(object: CatalogObject): void {
    this.#objects.set(object.id, object);
    this.#lastId = Math.max(this.#lastId, object.id);
    if (object.kind === 'schema' || object.kind === 'database') return;
    this.#members.set(memberKey(object.schemaId, object.kind, object.name, object.sessionId), object);
  }
}

export function isKind<K extends MemberKind>(member: SchemaMember, kind: K): member is Extract<SchemaMember, { kind: K }> {
  return member.kind === kind;
}

function memberKey(schemaId: number, kind: MemberKind, name: string, sessionId?: number): string {
  return JSON.stringify([schemaId, nameSpace(kind), name, sessionId ?? 0]);
}
