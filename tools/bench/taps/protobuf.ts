/** One field of a protobuf message. Messages, texts and bytes are `bytes`; whole numbers and truth values are `value`. */
export interface Field {
  number: number;
  value: number;
  bytes: Buffer;
}

const nothing = Buffer.alloc(0);

/** The fields of a message in their order; see https://protobuf.dev/programming-guides/encoding/. Numbers of fixed width come without their value, since nothing here looks at one. */
export function* fieldsOf(message: Buffer): Generator<Field> {
  for (let at = 0; at < message.length;) {
    const [tag, afterTag] = varint(message, at);
    const number = tag >>> 3;
    at = afterTag;
    switch (tag & 7) {
      case 0: {
        const [value, after] = varint(message, at);
        yield { number, value, bytes: nothing };
        at = after;
        break;
      }
      case 1:
        yield { number, value: 0, bytes: message.subarray(at, at + 8) };
        at += 8;
        break;
      case 2: {
        const [length, begin] = varint(message, at);
        yield { number, value: 0, bytes: message.subarray(begin, begin + length) };
        at = begin + length;
        break;
      }
      case 5:
        yield { number, value: 0, bytes: message.subarray(at, at + 4) };
        at += 4;
        break;
      default:
        throw new Error(`no protobuf message: wire type ${tag & 7}`);
    }
  }
}

/** The contents of every field with this number. */
export function all(message: Buffer, number: number): Buffer[] {
  return [...fieldsOf(message)].filter((field) => field.number === number).map(({ bytes }) => bytes);
}

/** The content of the first field with this number; null when there is none. */
export function first(message: Buffer, number: number): Buffer | null {
  return all(message, number)[0] ?? null;
}

function varint(message: Buffer, begin: number): [value: number, after: number] {
  let value = 0;
  for (let at = begin, factor = 1; at < message.length; at++, factor *= 128) {
    const byte = message[at]!;
    value += (byte & 127) * factor;
    if (byte < 128) return [value, at + 1];
  }
  throw new Error('no protobuf message: it ends in a number');
}

/** Cuts a gRPC stream into its messages: each comes after a flag and its length. */
export class GrpcMessages {
  #pending: Buffer = nothing;

  /** Takes a piece of the stream; gives the messages that are complete with it. */
  *add(piece: Buffer): Generator<Buffer> {
    this.#pending = this.#pending.length === 0 ? piece : Buffer.concat([this.#pending, piece]);
    while (this.#pending.length >= 5) {
      const end = 5 + this.#pending.readUInt32BE(1);
      if (this.#pending.length < end) return;
      if (this.#pending[0] !== 0) throw new Error('a compressed message');
      yield this.#pending.subarray(5, end);
      this.#pending = this.#pending.subarray(end);
    }
  }
}
