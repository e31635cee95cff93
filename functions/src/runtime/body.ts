import { isUtf8 } from 'node:buffer';
import { AppError } from './errors.ts';

/** Far more than any input has: what is deeper or longer only costs time. */
const maxDepth = 32;
const maxValues = 10_000;
/** As many of each of the characters that begin a value: texts have them too. Parsing 15 MB of them would take seconds. */
const maxSigns = 50_000;
/** How mobile SDKs send whole numbers of 64 bits. */
const longTypes = new Set(['type.googleapis.com/google.protobuf.Int64Value', 'type.googleapis.com/google.protobuf.UInt64Value']);

/**
 * The JSON of a body; undefined when it is empty.
 * @throws AppError `invalid-argument` (bad_input) for anything that is no JSON in UTF-8, too deep, too many values, or of a
 * type that the callable protocol does not know: the platform would answer that with an internal error and log the input.
 */
export function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if ([',', '[', '{'].some((sign) => hasMore(bytes, sign, maxSigns))) throw badInput(tooMuch);
  const body = parse(bytes);
  checkValues(body);
  return body;
}

/**
 * The callable protocol has the input in `data`, and nothing else.
 * @throws AppError `invalid-argument` (bad_input)
 */
export function requireEnvelope(body: unknown): void {
  const keys = typeof body === 'object' && body !== null ? Object.keys(body) : [];
  if (keys.length !== 1 || keys[0] !== 'data') throw badInput('Send the input as {"data": …}.');
}

/** What is wrong with a request before its input is looked at. */
export function badInput(message: string): AppError {
  return new AppError('invalid-argument', message, { reason: 'bad_input' });
}

const tooMuch = 'The input is nested too deeply, or has too many values.';

function hasMore(bytes: Buffer, sign: string, most: number): boolean {
  let count = 0;
  for (let at = bytes.indexOf(sign); at >= 0; at = bytes.indexOf(sign, at + 1)) if (++count > most) return true;
  return false;
}

function parse(bytes: Buffer): unknown {
  try {
    if (isUtf8(bytes)) return JSON.parse(bytes.toString());
  } catch {
    // The message of the parser quotes the body.
  }
  throw badInput('The body is not valid JSON in UTF-8.');
}

function checkValues(body: unknown): void {
  let level = [body];
  let count = 0;
  for (let depth = 1; level.length > 0; depth++) {
    count += level.length;
    if (depth > maxDepth || count > maxValues) throw badInput(tooMuch);
    const containers = level.filter((value): value is object => typeof value === 'object' && value !== null);
    containers.forEach(checkType);
    level = containers.flatMap((value): unknown[] => Object.values(value));
  }
}

function checkType(value: object): void {
  const { '@type': type, value: number } = value as { '@type'?: unknown; value?: unknown };
  if (type && !(typeof type === 'string' && longTypes.has(type) && (typeof number === 'string' || typeof number === 'number') && !Number.isNaN(Number.parseFloat(String(number))))) throw badInput('The input has a value of an unknown @type.');
}
