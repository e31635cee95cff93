import { compare as compareProtos } from '@google-cloud/firestore/build/src/order.js';
import type { Fields, ProtoTime, Transform, Value } from './firestore-protos.ts';

/** Orders two values as Firestore does: by type first, then within the type. The SDK's own comparison. */
export const compareValues = compareProtos as (left: Value, right: Value) => number;

/** Splits a field path of the protocol, in which unusual names stand in backticks. */
export function splitFieldPath(path: string): string[] {
  return [...path.matchAll(/`((?:[^`\\]|\\.)*)`|[^.`]+/g)].map(([plain, quoted]) => quoted?.replace(/\\(.)/g, '$1') ?? plain);
}

/** The value at a field path; undefined when there is none. */
export function fieldAt(fields: Fields, path: readonly string[]): Value | undefined {
  let value: Value | undefined = { mapValue: { fields } };
  for (const name of path) {
    const inner: Fields | undefined = value?.mapValue?.fields;
    value = inner && Object.hasOwn(inner, name) ? inner[name] : undefined;
  }
  return value;
}

/** The fields with the value at a path replaced, or removed; maps on the way are made when there is something to put. */
export function withField(fields: Fields, [name, ...rest]: readonly string[], value: Value | undefined): Fields {
  if (name === undefined) return fields;
  const { [name]: before, ...others } = fields;
  if (rest.length === 0) return value === undefined ? others : { ...fields, [name]: value };
  const inner = before?.mapValue;
  if (!inner && value === undefined) return fields;
  return { ...fields, [name]: { mapValue: { fields: withField(inner?.fields ?? {}, rest, value) } } };
}

/** A value as it is kept: numbers as numbers, timestamps cut to microseconds, nothing shared with the request. */
export function stored(value: Value): Value {
  if (value.integerValue !== undefined) return { integerValue: Number(value.integerValue) };
  if (value.timestampValue) return { timestampValue: storedTime(value.timestampValue) };
  if (value.arrayValue) return { arrayValue: { values: (value.arrayValue.values ?? []).map(stored) } };
  if (value.mapValue) return { mapValue: { fields: storedFields(value.mapValue.fields) } };
  return { ...value };
}

/** Fields as they are kept. */
export function storedFields(fields: Fields = {}): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, stored(value)]));
}

function storedTime({ seconds = 0, nanos = 0 }: ProtoTime): ProtoTime {
  return { seconds: Number(seconds), nanos: nanos - nanos % 1_000 };
}

/** A moment, given in microseconds since 1970, as it stands on the wire. */
export function timeOfMicros(micros: number): ProtoTime {
  const seconds = Math.floor(micros / 1_000_000);
  return { seconds, nanos: (micros - seconds * 1_000_000) * 1_000 };
}

/** Whether two moments are the same, however they were sent. */
export function sameTime(left: ProtoTime, right: ProtoTime): boolean {
  return Number(left.seconds ?? 0) === Number(right.seconds ?? 0) && (left.nanos ?? 0) === (right.nanos ?? 0);
}

/** What a transform makes of a field. `time` is that of the request. */
export function transformed(before: Value | undefined, transform: Transform, time: ProtoTime): Value {
  if (transform.setToServerValue === 'REQUEST_TIME') return { timestampValue: time };
  if (transform.increment) return sumOf(before, stored(transform.increment));
  throw new Error(`the memory store knows no such transform: ${JSON.stringify(transform)}`);
}

/** The sum of two numbers, whole when both are; the second alone when the first is no number. */
export function sumOf(before: Value | undefined, by: Value): Value {
  const current = before?.integerValue ?? before?.doubleValue;
  if (current === undefined) return by;
  const total = Number(current) + Number(by.integerValue ?? by.doubleValue);
  return before?.integerValue !== undefined && by.integerValue !== undefined ? { integerValue: total } : { doubleValue: total };
}
