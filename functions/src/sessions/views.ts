import type { z } from 'zod';
import { AppError } from '../runtime/errors.ts';
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
export function toCursor(session: SessionDoc): string {
  return Buffer.from(`${session.startedAt.toMillis()}:${session.sessionId}`).toString('base64url');
}

/**
 * Reads a cursor.
 * @throws AppError `invalid-argument` for anything that toCursor did not make.
 */
export function parseCursor(cursor: string): Cursor {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const match = /^(\d{1,14}):([A-Za-z0-9_-]{1,64})$/.exec(text);
  if (!match || Buffer.from(text).toString('base64url') !== cursor) throw new AppError('invalid-argument', 'The cursor is not valid. Use nextCursor as it was returned.', { reason: 'bad_input' });
  return { startedAt: Number(match[1]), sessionId: match[2]! };
}
