import type { Reference } from 'firebase-admin/database';
import { transact } from '../live/transact.ts';
import { liveDatabase } from '../runtime/firebase.ts';
import type { Summary } from './schema.ts';

/** summaries/{sessionId} */
function summaryRef(sessionId: string): Reference {
  return liveDatabase(sessionId).ref(`summaries/${sessionId}`);
}

/** What was said in a session before its last turns; null when nothing was folded yet. One read. */
export async function readSummary(sessionId: string): Promise<Summary | null> {
  return (await summaryRef(sessionId).get()).val() as Summary | null;
}

/** Replaces the summary by one that goes further; one that does not changes nothing, so that of two at once the further one stays. */
export async function advanceSummary(sessionId: string, next: Summary): Promise<void> {
  await transact<Summary>(summaryRef(sessionId), (current) => (current === null || current.through < next.through ? next : undefined));
}
