import type { ProtoDocument, ProtoPrecondition, ProtoTime, Write } from './firestore-protos.ts';
import { sameTime } from './firestore-values.ts';
import { RpcError } from './rpc-error.ts';

/** The document that a write is about. */
export function targetOf(write: Write): string {
  return write.update?.name ?? write.delete ?? '';
}

/**
 * Throws when a commit writes one document several times in a way that contradicts itself. Firestore makes one
 * mutation of them, and so refuses, whatever the document is, to insert after anything but a delete, to ask for
 * existence after a delete, and to ask for another version than the first of them did.
 */
export function rejectContradictions(writes: readonly Write[]): void {
  const earlier = new Map<string, { deletes: boolean; version: ProtoTime | undefined }>();
  for (const write of writes) {
    const name = targetOf(write);
    const before = earlier.get(name);
    const { exists, updateTime } = write.currentDocument ?? {};
    earlier.set(name, { deletes: write.delete !== undefined, version: before ? before.version : updateTime });
    if (!before) continue;
    const contradicts = before.deletes ? exists === true || updateTime !== undefined
      : exists === false || (updateTime !== undefined && !(before.version && sameTime(updateTime, before.version)));
    if (contradicts) throw new RpcError(3, 'INVALID_ARGUMENT', `Cannot collapse the writes of ${name} in the same request.`);
  }
}

/** Throws unless a document is as a write demands. */
export function check(name: string, document: ProtoDocument | undefined, { exists, updateTime }: ProtoPrecondition = {}): void {
  if (exists === true && !document) throw new RpcError(5, 'NOT_FOUND', `No document to update: ${name}`);
  if (exists === false && document) throw new RpcError(6, 'ALREADY_EXISTS', `Document already exists: ${name}`);
  if (updateTime && !(document && sameTime(document.updateTime, updateTime))) {
    throw new RpcError(9, 'FAILED_PRECONDITION', `the stored version of ${name} does not match the required base version`);
  }
}
