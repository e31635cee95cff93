import type { IncomingMessage, ServerResponse } from 'node:http';
import { badInput } from './body.ts';
import { Shares } from './shares.ts';
import { after } from './system.ts';

/** Bytes of large bodies that an instance has in hand at a time: that it reads, or has read and not let go of. */
const bytesInHand = 8_000_000;
/** Bodies below that are not worth waiting for. */
const leastBytes = 65_536;
/** How long one that is still being sent is waited for, ms, and how long any waits before it is read beside the others. */
const patienceMs = 500;

const inHand = new Shares(bytesInHand);
const held = new WeakMap<IncomingMessage, () => void>();

/**
 * The body of a request; null when it is too large, of which no more than `maxBytes` is kept. Large ones are read in order
 * of arrival and wait at their senders until then, for no longer than `patienceMs`. They stay in hand until they are let go of, at the latest when the call
 * is over: all that time they take four times their size, as bytes, as text, as the texts in it and decoded, so that a few
 * dozen of them would be all the memory of an instance. However many send slowly, they hold up nobody for more than twice
 * that: they are read beside the others, and of such bodies there are no more than the platform gives an instance calls.
 * @throws AppError `invalid-argument` (bad_input) when the client gives up.
 */
export async function readBody(request: IncomingMessage, response: ServerResponse, maxBytes: number): Promise<Buffer | null> {
  // 0 where the head does not tell.
  const length = Number(request.headers['content-length'] ?? 0);
  let share = await inHand.take(worthWaiting(length), patienceMs);
  const giveBack = (): void => share.giveBack();
  // Of a client that has gone while it waited nothing more is heard.
  if (response.closed) giveBack();
  response.once('close', giveBack);
  const cancel = after(patienceMs, giveBack);
  const bytes = await read(request, length, maxBytes).finally(cancel);
  if (bytes === null) giveBack();
  else if (length === 0 || !share.isHeld) share = await inHand.take(worthWaiting(bytes.length));
  held.set(request, giveBack);
  if (!response.closed) return bytes;
  giveBack();
  throw incomplete();
}

/** Forgets the body of a request: the next may be read. */
export function letGoOfBody(request: IncomingMessage & { body?: unknown }): void {
  delete request.body;
  held.get(request)?.();
}

function worthWaiting(bytes: number): number {
  return bytes < leastBytes ? 0 : bytes;
}

/**
 * Parts are copied as they come: kept as they are, a body in pieces of one byte would take a hundred times its size. No
 * listener stays behind, which would keep the bytes for as long as the call goes on.
 */
async function read(request: IncomingMessage, length: number, maxBytes: number): Promise<Buffer | null> {
  let bytes: Buffer = Buffer.alloc(0);
  let size = 0;
  try {
    for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const end = size + part.length;
      if (end > maxBytes) return null;
      if (end > bytes.length) bytes = grown(bytes, length === 0 ? Math.min(maxBytes, 2 * end) : length);
      part.copy(bytes, size);
      size = end;
    }
  } catch {
    throw incomplete();
  } finally {
    // What is too much is read on, or the answer would not be heard.
    request.resume();
  }
  return bytes.subarray(0, size);
}

function grown(bytes: Buffer, size: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(size);
  bytes.copy(larger);
  return larger;
}

function incomplete(): Error {
  return badInput('The body is not complete.');
}
