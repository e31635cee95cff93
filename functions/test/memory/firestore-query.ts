import type { Aggregation, Cursor, FieldFilter, Fields, Filter, Order, ProtoDocument, StructuredQuery, Value } from './firestore-protos.ts';
import { nearest } from './firestore-nearest.ts';
import { compareValues, fieldAt, splitFieldPath, stored, sumOf, withField } from './firestore-values.ts';

const nameField = '__name__';
const inequalities = new Set(['LESS_THAN', 'LESS_THAN_OR_EQUAL', 'GREATER_THAN', 'GREATER_THAN_OR_EQUAL', 'NOT_EQUAL', 'NOT_IN', 'IS_NOT_NULL', 'IS_NOT_NAN']);

/** The documents that a query selects, in its order. `parent` is the full name of what its collection lies in. */
export function runQuery(documents: Iterable<ProtoDocument>, parent: string, query: StructuredQuery): ProtoDocument[] {
  const { from: [source = {}], where, startAt, endAt, limit, offset = 0, select, findNearest } = query;
  const filters = where ? conjunction(where) : [];
  const orders = fullOrder(query.orderBy ?? [], filters);
  const found = [...documents].filter((document) => isIn(document.name, parent, source)
    && orders.every(({ field }) => valueOf(document, field.fieldPath) !== undefined)
    && filters.every((filter) => matches(document, filter)));
  found.sort((left, right) => compareBy(orders, left, right));
  const window = found.filter((document) => (!startAt || isPast(document, orders, startAt)) && (!endAt || !isPast(document, orders, endAt)));
  const page = window.slice(offset, limit ? offset + limit.value : undefined);
  const selected = findNearest ? nearest(page, findNearest) : page;
  return select ? selected.map((document) => projected(document, select.fields ?? [])) : selected;
}

/** A document with the chosen fields only. */
function projected(document: ProtoDocument, chosen: readonly { fieldPath: string }[]): ProtoDocument {
  const paths = chosen.map(({ fieldPath }) => splitFieldPath(fieldPath));
  return { ...document, fields: paths.reduce<Fields>((fields, path) => withField(fields, path, fieldAt(document.fields, path)), {}) };
}

/** Counts and sums over documents; what is no number adds nothing. */
export function aggregate(documents: readonly ProtoDocument[], aggregations: readonly Aggregation[]): Fields {
  return Object.fromEntries(aggregations.map(({ alias, count, sum }) => {
    if (count) return [alias, { integerValue: documents.length }];
    if (!sum) throw new Error('the memory store counts and sums only');
    const numbers = documents.map((document) => valueOf(document, sum.field.fieldPath)).filter((value) => value && typeName(value) === 'number');
    return [alias, numbers.reduce<Value>((total, value) => sumOf(total, value!), { integerValue: 0 })];
  }));
}

function isIn(name: string, parent: string, { collectionId, allDescendants }: StructuredQuery['from'][number]): boolean {
  if (!name.startsWith(`${parent}/`)) return false;
  const path = name.slice(parent.length + 1).split('/');
  return (allDescendants === true || path.length === 2) && (collectionId === undefined || path.at(-2) === collectionId);
}

function conjunction(filter: Filter): Filter[] {
  if (!filter.compositeFilter) return [filter];
  if (filter.compositeFilter.op !== 'AND') throw new Error('the memory store knows no OR');
  return filter.compositeFilter.filters.flatMap(conjunction);
}

/** The order with its implicit ends: fields with an inequality, by name, and the document's name, in the last direction. */
function fullOrder(explicit: readonly Order[], filters: readonly Filter[]): Order[] {
  const direction = explicit.at(-1)?.direction ?? 'ASCENDING';
  const orders = [...explicit];
  const unequal = filters.map(({ fieldFilter, unaryFilter }) => (fieldFilter ?? unaryFilter)!).filter(({ op }) => inequalities.has(op)).map(({ field }) => field.fieldPath);
  for (const fieldPath of [...unequal.sort(), nameField]) {
    if (!orders.some(({ field }) => field.fieldPath === fieldPath)) orders.push({ field: { fieldPath }, direction });
  }
  return orders;
}

function valueOf(document: ProtoDocument, fieldPath: string): Value | undefined {
  return fieldPath === nameField ? { referenceValue: document.name } : fieldAt(document.fields, splitFieldPath(fieldPath));
}

function compareBy(orders: readonly Order[], left: ProtoDocument, right: ProtoDocument): number {
  for (const { field: { fieldPath }, direction } of orders) {
    const difference = compareValues(valueOf(left, fieldPath)!, valueOf(right, fieldPath)!);
    if (difference !== 0) return direction === 'DESCENDING' ? -difference : difference;
  }
  return 0;
}

/** Whether a document lies on the far side of a cursor: at it counts when the cursor stands before its position. */
function isPast(document: ProtoDocument, orders: readonly Order[], { values, before = false }: Cursor): boolean {
  for (const [index, value] of values.entries()) {
    const { field, direction } = orders[index]!;
    const difference = compareValues(valueOf(document, field.fieldPath)!, stored(value));
    if (difference !== 0) return (direction === 'DESCENDING' ? -difference : difference) > 0;
  }
  return before;
}

function matches(document: ProtoDocument, { fieldFilter, unaryFilter }: Filter): boolean {
  if (fieldFilter) return satisfies(valueOf(document, fieldFilter.field.fieldPath), fieldFilter);
  const value = valueOf(document, unaryFilter!.field.fieldPath);
  if (value === undefined) return false;
  switch (unaryFilter!.op) {
    case 'IS_NULL': return 'nullValue' in value;
    case 'IS_NOT_NULL': return !('nullValue' in value);
    default: throw new Error(`the memory store knows no ${unaryFilter!.op}`);
  }
}

function satisfies(value: Value | undefined, { op, value: wanted }: FieldFilter): boolean {
  if (value === undefined) return false;
  const operand = stored(wanted);
  const difference = compareValues(value, operand);
  switch (op) {
    case 'EQUAL': return difference === 0;
    case 'NOT_EQUAL': return difference !== 0 && !('nullValue' in value);
    case 'LESS_THAN': return difference < 0 && sameType(value, operand);
    case 'LESS_THAN_OR_EQUAL': return difference <= 0 && sameType(value, operand);
    case 'GREATER_THAN': return difference > 0 && sameType(value, operand);
    case 'GREATER_THAN_OR_EQUAL': return difference >= 0 && sameType(value, operand);
    case 'IN': return operand.arrayValue!.values!.some((one) => compareValues(value, one) === 0);
    case 'ARRAY_CONTAINS': return value.arrayValue?.values?.some((one) => compareValues(one, operand) === 0) ?? false;
    default: throw new Error(`the memory store knows no ${op}`);
  }
}

/** A range holds values of the type of its bound only; integers and doubles are one type. */
function sameType(left: Value, right: Value): boolean {
  return typeName(left) === typeName(right);
}

function typeName(value: Value): string | undefined {
  return 'integerValue' in value || 'doubleValue' in value ? 'number' : Object.keys(value)[0];
}
