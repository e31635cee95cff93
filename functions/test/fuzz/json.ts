/** JSON as text, so that it can say what no value can: the same key twice, `__proto__`, numbers of any size. */
export type Json = { text: string } | { items: Json[] } | { fields: [key: string, value: Json][] };

/** A place in a Json: the indices that lead to it. */
export type Place = number[];

export function jsonOf(value: unknown): Json {
  if (Array.isArray(value)) return { items: value.map(jsonOf) };
  if (typeof value === 'object' && value !== null) return { fields: Object.entries(value).map(([key, field]) => [key, jsonOf(field)]) };
  return { text: JSON.stringify(value) };
}

export function textOf(json: Json): string {
  if ('text' in json) return json.text;
  if ('items' in json) return `[${json.items.map(textOf).join()}]`;
  return `{${json.fields.map(([key, value]) => `${JSON.stringify(key)}:${textOf(value)}`).join()}}`;
}

/** Every place, the whole first. */
export function placesIn(json: Json): Place[] {
  return [[], ...partsOf(json).flatMap((part, index) => placesIn(part).map((place) => [index, ...place]))];
}

/** The same with another part at a place. */
export function changedAt(json: Json, [index, ...rest]: Place, change: (part: Json) => Json): Json {
  if (index === undefined) return change(json);
  const inside = (part: Json, at: number): Json => (at === index ? changedAt(part, rest, change) : part);
  if ('items' in json) return { items: json.items.map(inside) };
  if ('fields' in json) return { fields: json.fields.map(([key, value], at) => [key, inside(value, at)]) };
  return json;
}

function partsOf(json: Json): Json[] {
  if ('items' in json) return json.items;
  return 'fields' in json ? json.fields.map(([, value]) => value) : [];
}
