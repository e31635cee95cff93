import type { Mutation } from './mutation.ts';
import { unit } from './tests.ts';

const [rules, stored] = [[unit('imports/imports')], [unit('imports/lifecycle')]];
const tool = (name: string): Mutation['tests'] => [{ file: `tools/migrate/${name}.test.ts` }];

/** Mutants of sessions that are imported from another system. */
export const importMutations: Mutation[] = [
  {
    guard: 'close once', what: 'An import brings back a session that its owner has deleted.', file: 'imports/imports.ts',
    find: 'if (isDeleted(session)) return \'deleted\';', replace: '', tests: rules,
  },
  {
    guard: 'created once', what: 'An import takes the place of a session that was played here.', file: 'imports/imports.ts',
    find: 'if (!known) return \'taken\';', replace: 'if (!known) return \'create\';', tests: rules,
  },
  {
    guard: 'fence', what: 'An import replaces a session that its owner has changed since the last one.', file: 'imports/imports.ts',
    find: 'known.version === session.version ?', replace: 'known.version !== null ?', tests: rules,
  },
  {
    guard: 'idempotency', what: 'The same import again replaces the session.', file: 'imports/imports.ts',
    find: 'if (known.digest === digest) return \'unchanged\';', replace: '', tests: rules,
  },
  {
    guard: 'member', what: 'An import whose members have changed passes for the same.', file: 'imports/imports.ts',
    find: 'sessionId, ownerId, playerIds, name, startedAt, endedAt,\n', replace: 'sessionId, ownerId, name, startedAt, endedAt,\n', tests: rules,
  },
  {
    guard: 'precondition', what: 'An import replaces a session although its owner was faster.', file: 'imports/store.ts',
    find: '{ ...session }, unchanged(snapshot));', replace: '{ ...session });', tests: stored,
  },
  {
    guard: 'idempotency', what: 'An import that comes through without an answer is not known again.', file: 'imports/store.ts',
    find: 'sent && verdict === \'unchanged\' ?', replace: 'sent && verdict !== verdict ?', tests: stored,
  },
  {
    guard: 'release', what: 'An import leaves turns of the one that was cut short or replaced.', file: 'imports/store.ts',
    find: 'for (const ref of stale) batch.delete(ref);', replace: '', tests: stored,
  },
  {
    guard: 'event', what: 'A session is imported without an event.', file: 'imports/store.ts',
    find: 'writeEvent(batch, session, \'session.imported\', { turns: imported.turns.length, media: imported.media.length });', replace: '', tests: stored,
  },
  {
    guard: 'release', what: 'An import leaves media of a session that is deleted meanwhile.', file: 'imports/lifecycle.ts',
    find: 'if (outcome === \'deleted\') await Promise.all([storage.removeAll(folderOf(sessionId)), discardContents(sessionId)]);', replace: '', tests: stored,
  },
  {
    guard: 'member', what: 'Sessions are given to whoever signs up with the address of their owner.', file: '../../tools/migrate/accounts.ts',
    find: 'account?.emailVerified ? account.uid : null', replace: 'account?.uid ?? null', tests: tool('mapping'),
  },
  {
    guard: 'member', what: 'Whose a session is comes from the metadata of another one.', file: '../../tools/migrate/session.ts',
    find: '!isNameless(unit) && ids.length > 0 &&', replace: 'ids.length > 1 &&', tests: tool('batch'),
  },
  {
    guard: 'member', what: 'All members read what was said to one player alone.', file: '../../tools/migrate/messages.ts',
    find: 'if (message.response_type === \'private\') return \'for one player alone\';', replace: '', tests: tool('mapping'),
  },
  {
    guard: 'reach', what: 'A file of a session is read through a link.', file: '../../tools/migrate/files.ts',
    find: 'if (await realpath(full) !== full) throw', replace: 'if (await realpath(full) === "") throw', tests: tool('batch'),
  },
  {
    guard: 'reach', what: 'A link in the folder of a session is passed over in silence.', file: '../../tools/migrate/files.ts',
    find: 'if (entry.isSymbolicLink()) throw new BrokenFile(path, \'is a symbolic link\');', replace: 'if (entry.isSymbolicLink()) continue;', tests: tool('batch'),
  },
];
