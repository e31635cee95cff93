import type { Mutation } from './mutation.ts';
import { unit } from './tests.ts';

/** Mutants of who gets what is kept of a session, and of what is left of it. */
export const mediaMutations: Mutation[] = [
  { guard: 'member', what: 'Anybody who knows its name gets the address of a kept file.', file: 'media/media.ts', find: 'roleOf(session, uid) !== null && ', replace: '', tests: [unit('media/media')] },
  { guard: 'removal', what: 'A file that is kept after its session was deleted stays.', file: 'media/store.ts', find: 'if (session && !isDeleted(session)) return name;', replace: 'if (session) return name;', tests: [unit('media/store')] },
  { guard: 'removal', what: 'What is removed of a session are the documents alone.', file: 'media/store.ts', find: 'await (await loadStorage()).removeAll(folderOf(sessionId));', replace: '', tests: [unit('media/store')] },
  { guard: 'removal', what: 'Sessions whose ids begin alike lose their files together.', file: 'media/store-bucket.ts', find: 'prefix: `${folder}/`', replace: 'prefix: folder', tests: [unit('media/store-bucket')] },
];
