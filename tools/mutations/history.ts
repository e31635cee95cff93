import type { Mutation } from './mutation.ts';
import { unit } from './tests.ts';

/** Mutants of what is kept of a session's conversation, who gets to see it, and how it is deleted. */
export const historyMutations: Mutation[] = [
  { guard: 'archive', what: 'The live state of a session is removed without an archive.', file: 'history/cleanup.ts', find: 'if (!await archiveTurns(session)) return null;', replace: '', tests: [unit('history/archive')] },
  { guard: 'archive', what: 'Turns of the ms at which a read was cut are left out.', file: 'history/history.ts', find: 'if (turns.length < size) return turns;', replace: 'if (turns.length > 0) return turns;', tests: [unit('history/history')] },
  { guard: 'archive', what: 'A sweep that has read less cuts an archive short.', file: 'history/store-pages.ts', find: '(known.data()?.turns.length ?? 0) >= turns.length', replace: 'index < 0', tests: [unit('history/archive')] },
  { guard: 'archive', what: 'A list ends where the live state has gone.', file: 'history/turns.ts', find: 'if (found.length === 0) return null;', replace: '', tests: [unit('history/turns')] },
  { guard: 'archive', what: 'An older summary replaces one that goes further.', file: 'history/store-summary.ts', find: ' || current.through < next.through ?', replace: ' || next.through > 0 ?', tests: [unit('history/fold')] },
  { guard: 'deletion', what: 'An archive brings back what was deleted meanwhile.', file: 'history/store-pages.ts', find: ' || isDeleted(session)) return', replace: ') return', tests: [unit('history/deletion')] },
  { guard: 'deletion', what: 'A page is written although the session was deleted since it was read.', file: 'history/store-pages.ts', find: '{ cleanupAt: session.cleanupAt }, unchanged(snapshot)', replace: '{ cleanupAt: session.cleanupAt }', tests: [unit('history/functions')] },
  { guard: 'deletion', what: 'The sweep calls a session done that was deleted meanwhile.', file: 'sessions/store.ts', find: 'if (!current || isDeleted(current) !== isDeleted(session))', replace: 'if (!current)', tests: [unit('history/functions')] },
  { guard: 'deletion', what: 'What a function writes that still runs stays for ever.', file: 'history/deletion.ts', find: 'return last > now ? last : null;', replace: 'return now < 0 ? last : null;', tests: [unit('history/deletion')] },
  { guard: 'deletion', what: 'The agent remembers a session that was deleted.', file: 'history/cleanup.ts', find: 'await forgetSession({ uid: ownerId, agentInstanceId }, sessionId);', replace: '', tests: [unit('history/deletion')] },
  { guard: 'deletion', what: 'An open session is deleted.', file: 'history/deletion.ts', find: "if (status !== 'ended')", replace: 'if (version < 0)', tests: [unit('history/deletion')] },
  { guard: 'precondition', what: 'A session is deleted although it has changed since it was read.', file: 'history/store-delete.ts', find: '{ ...changes }, unchanged(snapshot));', replace: '{ ...changes });', tests: [unit('history/functions')] },
  { guard: 'member', what: 'A member deletes a session.', file: 'history/store-delete.ts', find: 'requireOwner(found, uid)', replace: 'requireOwner(found, found?.ownerId ?? uid)', tests: [unit('history/functions')] },
  { guard: 'member', what: 'Strangers are told that a session was deleted.', file: 'history/store-delete.ts', find: ' && found.ownerId === uid) return', replace: ') return', tests: [unit('history/deletion')] },
  { guard: 'member', what: 'Somebody joins a deleted session.', file: 'sharing/sharing.ts', find: 'if (!session || isDeleted(session) || (', replace: 'if (!session || (', tests: [unit('history/functions')] },
  { guard: 'member', what: 'Guests are shown what turns cost.', file: 'history/history.ts', find: 'uid === ownerId ? costDOFs : null', replace: 'uid !== null ? costDOFs : null', tests: [unit('history/history')] },
  { guard: 'price bound', what: 'The summary is told without being held for.', file: 'live/bounds.ts', find: ' + notesHead + maxSummaryNoteCharacters : 0)', replace: ' : 0)', tests: [unit('live/bounds'), unit('history/fold')] },
  { guard: 'price bound', what: 'A summary is as long as a model makes it.', file: 'history/summary.ts', find: 'return cutToWeight(plainText(text, maxSummaryCharacters - ellipsisWeight), maxSummaryCharacters);', replace: 'return text;', tests: [unit('history/summary')] },
];
