import type { z } from 'zod';
import * as cursors from '../runtime/cursor.ts';
import type { OpenSession } from './lifecycle.ts';
import type { SessionDoc, sessionView, startSessionOutput } from './schema.ts';

/** A session as its owner sees it. */
export function toSessionView(session: SessionDoc): z.input<typeof sessionView> {
  return {
    ...session,
    startedAt: session.startedAt.toDate().toISOString(),
    expiresAt: session.expiresAt.toDate().toISOString(),
    endedAt: session.endedAt?.toDate().toISOString() ?? null,
  };
}

/** The answer to startSession: client-safe config and where to watch (`shardUrl`, or the configured database when null), never a key. */
export function toStarted({ session, resumed, remainingDOFs }: OpenSession, shardUrl: string | null): z.input<typeof startSessionOutput> {
  const { sessionId, generation, config } = session;
  return {
    sessionId,
    generation,
    resumed,
    config,
    live: { databaseUrl: shardUrl ?? config.endpoints.liveDatabaseUrl, path: `live/${sessionId}`, streamsPath: `streams/${sessionId}` },
    remainingDOFs,
    expiresAt: session.expiresAt.toDate().toISOString(),
  };
}

/** Where a page of sessions ended. */
export interface Cursor {
  startedAt: number;
  sessionId: string;
}

/** An opaque cursor that continues after this session. */
export function toCursor({ startedAt, sessionId }: SessionDoc): string {
  return cursors.toCursor({ order: startedAt.toMillis(), id: sessionId });
}

/** Reads a cursor. Errors as cursors.parseCursor. */
export function parseCursor(cursor: string): Cursor {
  const { order, id } = cursors.parseCursor(cursor);
  return { startedAt: order, sessionId: id };
}
