/** Every way in which a text could carry a key: as it is, in part, encoded. */
function formsOf(key: string): string[] {
  // The middle of a base64 text does not depend on what is around the key, only on where it begins.
  const inside = [0, 1, 2].map((offset) => Buffer.from(`${'-'.repeat(offset)}${key}`).toString('base64').slice(offset === 0 ? 0 : 4, -4));
  const parts = [key.slice(0, 24), key.slice(-14)];
  const encoded = [encodeURIComponent(key), JSON.stringify(key).slice(1, -1), key.replaceAll('/', '\\/'), ...parts.map((part) => Buffer.from(part).toString('hex')), [...key].reverse().join('')];
  return [key, ...parts, ...encoded, ...inside, ...inside.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')), ...inside.map(encodeURIComponent)];
}

/** The forms of a key that a text holds. */
export function formsIn(text: string, key: string): string[] {
  const lower = text.toLowerCase();
  return formsOf(key).filter((form) => lower.includes(form.toLowerCase()));
}
