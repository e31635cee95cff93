import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SAMPLE_FRAMES } from '../../demo/images.ts';
import type { Player } from './project.ts';

/** The sample frames, 640 by 360 pixels, base64. */
export const frames = Array.from({ length: 36 }, (_, index) => readFileSync(join(SAMPLE_FRAMES, `frame-${String(index).padStart(3, '0')}.jpg`)).toString('base64'));

/** An answer to a callable. */
export type Answer = Record<string, unknown>;

/** Calls a function by the callable protocol. */
export async function call({ url }: { url: string }, { idToken }: Pick<Player, 'idToken'>, data: unknown): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${idToken}` }, body: JSON.stringify({ data }) });
  const { result, error } = await response.json() as { result?: Answer; error?: { status: string; message: string } };
  if (!result) throw new Error(`${error?.status ?? response.status}: ${error?.message ?? 'no answer'}`);
  return result;
}

/** A session of a player. */
export interface OpenSession {
  player: Player;
  sessionId: string;
}

/** Starts a session. */
export async function open(starting: { url: string }, player: Player): Promise<OpenSession> {
  const { sessionId } = await call(starting, player, { agentInstanceId: player.agentInstanceId });
  return { player, sessionId: String(sessionId) };
}

let requests = 0;

/** Sends a frame. */
export function sendFrame(framing: { url: string }, { player, sessionId }: OpenSession, parts: object = { frameData: frames[requests % frames.length] }): Promise<Answer> {
  return call(framing, player, { sessionId, requestId: `r${++requests}`, ...parts });
}

/** Waits until something is so. */
export async function until(check: () => Promise<boolean> | boolean, what: string, signal: AbortSignal, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!await check()) {
    signal.throwIfAborted();
    if (Date.now() > deadline) throw new Error(`never happened within ${timeoutMs / 1000} s: ${what}`);
    await delay(20);
  }
}

/** Waits for something that is sure to come, but not for ever. */
export async function within<T>(promise: Promise<T>, what: string, timeoutMs = 60_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`never happened within ${timeoutMs / 1000} s: ${what}`)), timeoutMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
