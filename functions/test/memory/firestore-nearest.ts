import type { FindNearest, ProtoDocument, Value } from './firestore-protos.ts';
import { fieldAt, splitFieldPath, withField } from './firestore-values.ts';

/** The documents whose vector is nearest to the wanted one, nearest first; documents without a vector of its length are left out. */
export function nearest(documents: readonly ProtoDocument[], search: FindNearest): ProtoDocument[] {
  const { vectorField, queryVector, distanceMeasure, limit, distanceThreshold, distanceResultField } = search;
  if (distanceMeasure !== 'COSINE') throw new Error(`the memory store measures no ${distanceMeasure}`);
  const wanted = numbersOf(queryVector)!;
  const found = documents.flatMap((document) => {
    const vector = numbersOf(fieldAt(document.fields, splitFieldPath(vectorField.fieldPath)));
    return vector?.length === wanted.length ? [{ document, distance: cosineDistance(vector, wanted) }] : [];
  });
  const near = found.filter(({ distance }) => !distanceThreshold || distance <= distanceThreshold.value).sort((left, right) => left.distance - right.distance);
  return near.slice(0, limit.value).map(({ document, distance }) => (
    distanceResultField ? { ...document, fields: withField(document.fields, splitFieldPath(distanceResultField), { doubleValue: distance }) } : document));
}

/** The numbers of a vector, which is a map with a mark on the wire; undefined for any other value. */
function numbersOf(value: Value | undefined): number[] | undefined {
  const fields = value?.mapValue?.fields;
  if (fields?.['__type__']?.stringValue !== '__vector__') return undefined;
  return fields['value']?.arrayValue?.values?.map(({ doubleValue, integerValue }) => Number(doubleValue ?? integerValue));
}

function cosineDistance(left: readonly number[], right: readonly number[]): number {
  const product = (one: readonly number[], other: readonly number[]): number => one.reduce((sum, value, index) => sum + value * other[index]!, 0);
  return 1 - product(left, right) / Math.sqrt(product(left, left) * product(right, right));
}
