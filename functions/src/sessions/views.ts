import type { z } from 'zod';
import { toTurnView } from '../history/history.ts';
import type { TurnDoc } from '../history/schema.ts';
import * as cursors from '../runtime/cursor.ts';
import type { OpenSession } from './lifecycle.ts';
import { roleOf } from './members.ts';
import type { Cursor, liveAddress, ownSessionView, SessionDoc, sessionView, startSessionOutput } from './schema.ts';

/** A session as its owner sees it. */
export function toOwnSessionView(session: SessionDoc): z.input<typeof ownSessionView> {
  return {
    ...session,
    role: 'owner',
    startedAt: session.startedAt.toDate().toISOString(),
    expiresAt: session.expiresAt.toDate().toISOString(),
    endedAt: session.endedAt?.toDate().toISOString() ?? null,
  };
}

/** A session as this member sees it. */
export function toSessionView(session: SessionDoc, uid: string): z.input<typeof sessionView> {
  const view = toOwnSessionView(session);
  const role = roleOf(session, uid)!;
  return role === 'owner' ? view : { ...view, role, startingDOFs: null, consumedDOFs: null, settledDOFs: null, gameContext: null };
}

/** Where to watch a session: in the database at `shardUrl`, or in the configured one when null. */
export function toLiveAddress({ sessionId, config }: SessionDoc, shardUrl: string | null): z.input<typeof liveAddress> {
  return { databaseUrl: shardUrl ?? config.endpoints.liveDatabaseUrl, path: `live/${sessionId}`, streamsPath: `streams/${sessionId}` };
}

/** The answer to startSession: client-safe config, where to watch and what was missed, never a key. */
export function toStarted({ session, resumed, remainingDOFs }: OpenSession, missed: TurnDoc[], shardUrl: string | null): z.input<typeof startSessionOutput> {
  const { sessionId, generation, config } = session;
  return {
    sessionId,
    generation,
    resumed,
    config,
    live: toLiveAddress(session, shardUrl),
    missedTurns: missed.map((turn) => toTurnView(turn, session, session.ownerId)),
    remainingDOFs,
    expiresAt: session.expiresAt.toDate().toISOString(),
  };
}

/** What stands for a status at the head of a cursor. */
const marks = { active: 'a', ended: 'e' } as const;

/** An opaque cursor that continues after this session. */
export function toCursor({ status, startedAt, sessionId }: Pick<SessionDoc, keyof Cursor>): string {
  return marks[status] + cursors.toCursor({ order: startedAt.toMillis(), id: sessionId });
}

/** Reads a cursor. Errors as cursors.parseCursor. */
export function parseCursor(cursor: string): Cursor {
  const [, mark, position = ''] = /^([ae])(.*)$/s.exec(cursor) ?? [];
  const { order, id } = cursors.parseCursor(position);
  return { status: mark === marks.active ? 'active' : 'ended', startedAt: order, sessionId: id };
}
