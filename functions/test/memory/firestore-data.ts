import { isDeepStrictEqual } from 'node:util';
import { check, rejectContradictions, targetOf } from './firestore-preconditions.ts';
import type { Fields, ProtoDocument, ProtoTime, Write } from './firestore-protos.ts';
import { fieldAt, splitFieldPath, storedFields, timeOfMicros, transformed, withField } from './firestore-values.ts';

/** What a commit did to one document. */
export interface DocumentChange { name: string; before: ProtoDocument | undefined; after: ProtoDocument | undefined }

/** The documents of a Firestore, by their full names. Every operation is one synchronous step. */
export class FirestoreData {
  readonly documents = new Map<string, ProtoDocument>();
  readonly #now: () => number;
  readonly #listeners: ((changes: DocumentChange[]) => void)[] = [];
  #lastMicros = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Calls the listener after every commit that changed anything. */
  onCommit(listener: (changes: DocumentChange[]) => void): void {
    this.#listeners.push(listener);
  }

  /** The moment of a read: it never lies before the last commit. */
  readTime(): ProtoTime {
    return timeOfMicros(Math.max(this.#lastMicros, Math.floor(this.#now() * 1_000)));
  }

  /** Makes all of the writes, in order, or none of them; gives the time of each write and of the commit. */
  commit(writes: readonly Write[]): { writeResults: { updateTime: ProtoTime }[]; commitTime: ProtoTime } {
    rejectContradictions(writes);
    const micros = Math.max(this.#lastMicros + 1, Math.floor(this.#now() * 1_000));
    const commitTime = timeOfMicros(micros);
    const changed = new Map<string, ProtoDocument | undefined>();
    const writeResults = writes.map((write) => {
      const name = targetOf(write);
      const known = changed.has(name);
      const before = known ? changed.get(name) : this.documents.get(name);
      // The version that later writes of the same document ask for is the one before the commit, which is checked.
      if (!known || !write.currentDocument?.updateTime) check(name, before, write.currentDocument);
      const after = write.update ? written(name, before, write, commitTime) : undefined;
      changed.set(name, after);
      return { updateTime: after?.updateTime ?? commitTime };
    });
    this.#lastMicros = micros;
    this.#take(changed);
    return { writeResults, commitTime };
  }

  #take(changed: ReadonlyMap<string, ProtoDocument | undefined>): void {
    const changes: DocumentChange[] = [];
    for (const [name, after] of changed) {
      const before = this.documents.get(name);
      if (before === after) continue;
      if (after) this.documents.set(name, after);
      else this.documents.delete(name);
      changes.push({ name, before, after });
    }
    if (changes.length > 0) for (const listener of this.#listeners) listener(changes);
  }
}

/** The document after a write; the very same one, with its old update time, when the write changes nothing. */
function written(name: string, before: ProtoDocument | undefined, write: Write, time: ProtoTime): ProtoDocument {
  const given = storedFields(write.update?.fields);
  let fields: Fields = given;
  if (write.updateMask) {
    fields = before?.fields ?? {};
    for (const text of write.updateMask.fieldPaths ?? []) {
      const path = splitFieldPath(text);
      fields = withField(fields, path, fieldAt(given, path));
    }
  }
  for (const transform of write.updateTransforms ?? []) {
    const path = splitFieldPath(transform.fieldPath);
    fields = withField(fields, path, transformed(fieldAt(fields, path), transform, time));
  }
  if (before && isDeepStrictEqual(fields, before.fields)) return before;
  return { name, fields, createTime: before?.createTime ?? time, updateTime: time };
}
