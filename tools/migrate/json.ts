import type { LegacySchema } from '../../functions/src/imports/legacy-schema.ts';
import { BrokenFile } from './broken.ts';

/** Nothing that was ever saved comes near; a reader that calls itself must not run out of stack. */
const maxDepth = 64;

/**
 * Reads a JSON file and checks it against its schema.
 * @throws BrokenFile for bytes that are no UTF-8 and no JSON, for values that are nested too deep or reach for a prototype,
 *   and for what the schema refuses.
 */
export function parseJson<T>(file: string, bytes: Uint8Array, schema: LegacySchema<T>): T {
  const value = decode(file, bytes);
  const problem = problemOf(value);
  if (problem) throw new BrokenFile(file, problem);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new BrokenFile(file, `${issue?.path.length ? `${issue.path.join('.')}: ` : ''}${issue?.message ?? 'is not what it should be'}`);
}

function decode(file: string, bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new BrokenFile(file, 'is not UTF-8');
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new BrokenFile(file, text.trim() === '' ? 'is empty' : 'is not JSON');
  }
}

/** Goes through a value without calling itself, since the value may be nested deeper than the stack is. */
function problemOf(root: unknown): string | null {
  const left: { value: unknown; depth: number }[] = [{ value: root, depth: 0 }];
  for (let next = left.pop(); next; next = left.pop()) {
    const { value, depth } = next;
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= maxDepth) return `is nested deeper than ${maxDepth} levels`;
    if (Object.hasOwn(value, '__proto__')) return 'has a key __proto__';
    for (const inner of Object.values(value)) left.push({ value: inner, depth: depth + 1 });
  }
  return null;
}
