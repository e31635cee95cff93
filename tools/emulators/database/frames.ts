/**
 * Messages and frames. A message that is too long for one frame is sent as a frame with the number
 * of pieces, followed by the pieces.
 */

const MAX_FRAME_LENGTH = 16384;

/** Cuts a message into the frames to send for it. */
export function toFrames(message: string): string[] {
  if (message.length <= MAX_FRAME_LENGTH) return [message];
  const pieces: string[] = [];
  for (let start = 0; start < message.length;) {
    let end = Math.min(start + MAX_FRAME_LENGTH, message.length);
    // Every frame is encoded by itself, so a pair of surrogates must not be torn apart.
    if (end < message.length && isHighSurrogate(message.charCodeAt(end - 1))) end -= 1;
    pieces.push(message.slice(start, end));
    start = end;
  }
  return [String(pieces.length), ...pieces];
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}

/** Puts the frames that arrive on one connection together again. */
export class FrameReader {
  #missing = 0;
  #pieces: string[] = [];

  /** Takes a frame; gives a message when it completes one. */
  read(frame: string): string | null {
    if (this.#missing === 0) {
      // A bare number announces pieces. Zero pieces are a sign of life and nothing else.
      if (!/^\d{1,6}$/.test(frame)) return frame;
      this.#missing = Number(frame);
      return null;
    }
    this.#pieces.push(frame);
    this.#missing -= 1;
    if (this.#missing > 0) return null;
    const message = this.#pieces.join('');
    this.#pieces = [];
    return message;
  }
}
