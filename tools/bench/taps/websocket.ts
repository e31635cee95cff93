const endOfHandshake = '\r\n\r\n';

/**
 * Counts the messages that go one way over a WebSocket, from its bytes: the handshake of HTTP, then frames
 * (https://www.rfc-editor.org/rfc/rfc6455#section-5.2). Control frames do not count, nor do frames that go on with a message.
 */
export class MessageCounter {
  count = 0;
  #open = false;
  /** Bytes that have not been understood yet: the end of a handshake or of a frame's head. */
  #pending: Buffer = Buffer.alloc(0);
  /** Bytes of a frame's payload that are still to come. */
  #skip = 0;

  /** Takes a piece of the stream. */
  add(piece: Buffer): void {
    this.#pending = this.#pending.length === 0 ? piece : Buffer.concat([this.#pending, piece]);
    if (!this.#open && !this.#passHandshake()) return;
    for (;;) {
      const skipped = Math.min(this.#skip, this.#pending.length);
      this.#skip -= skipped;
      this.#pending = this.#pending.subarray(skipped);
      if (this.#skip > 0 || !this.#passHead()) return;
    }
  }

  #passHandshake(): boolean {
    const end = this.#pending.indexOf(endOfHandshake);
    if (end < 0) return false;
    this.#open = true;
    this.#pending = this.#pending.subarray(end + endOfHandshake.length);
    return true;
  }

  #passHead(): boolean {
    const head = this.#pending;
    if (head.length < 2) return false;
    const short = head[1]! & 127;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const size = 2 + lengthBytes + (head[1]! >= 128 ? 4 : 0);
    if (head.length < size) return false;
    this.#skip = lengthBytes === 2 ? head.readUInt16BE(2) : lengthBytes === 8 ? Number(head.readBigUInt64BE(2)) : short;
    const operation = head[0]! & 15;
    if (operation === 1 || operation === 2) this.count++;
    this.#pending = head.subarray(size);
    return true;
  }
}
