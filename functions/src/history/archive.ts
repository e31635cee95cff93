import type { SessionDoc } from '../sessions/schema.ts';
import { pagesOf } from './history.ts';
import type { TurnDoc } from './schema.ts';
import { writePage } from './store-pages.ts';
import { liveTurns } from './turns.ts';

/**
 * Writes what was said in an ended session to its pages, from the live state; without one nothing is left to do. A repeat
 * writes the same pages again. False when the session is not to be archived any more.
 * @throws AppError `aborted` (contention).
 */
export async function archiveTurns(session: SessionDoc): Promise<boolean> {
  let written = 0;
  let waiting: TurnDoc[] = [];
  const write = async (pages: TurnDoc[][]): Promise<boolean> => {
    for (const page of pages) {
      if (!await writePage(session.sessionId, written, page)) return false;
      written += page.length;
    }
    return true;
  };
  for await (const turns of liveTurns(session)) {
    const pages = pagesOf([...waiting, ...turns]);
    // The last one may grow.
    waiting = pages.pop() ?? [];
    if (!await write(pages)) return false;
  }
  return write(pagesOf(waiting));
}
