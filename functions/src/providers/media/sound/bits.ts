/** Reads numbers bit by bit, lowest bit first, as Vorbis packs them. Beyond the end everything is 0 and `ended` is true. */
export class Bits {
  private at = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Whether more was read or passed over than there is. */
  get ended(): boolean {
    return this.at > this.bytes.length * 8;
  }

  /** The next bits, at most 32, as a number. */
  read(count: number): number {
    let value = 0;
    for (let bit = 0; bit < count; bit += 1, this.at += 1) value += (((this.bytes[this.at >> 3] ?? 0) >> (this.at & 7)) & 1) * 2 ** bit;
    return value;
  }

  skip(count: number): void {
    this.at += count;
  }
}
