import { badInput } from './body.ts';
import { addressOf, type Operation } from './operation.ts';

/** Whether an answer of this content type gets smaller by compression. Events are not compressed, so that each goes out at once. */
export function compressible(contentType: unknown): boolean {
  return /^(application\/(json|x-ndjson)|text\/csv)\b/.test(String(contentType));
}

/** The methods that an address of the API takes, for the header `Allow`; none where there is no such route. */
export function methodsAt(operations: Operation[], address: string): string[] {
  const own: [string, RegExp][] = [['get', /^\/(health|ready|v1\/openapi\.json)$/]];
  const routes = operations.map(({ route }): [string, RegExp] => [route.method, addressOf(route)]);
  const methods = new Set([...own, ...routes].filter(([, pattern]) => pattern.test(address)).map(([method]) => method.toUpperCase()));
  if (methods.has('GET')) methods.add('HEAD');
  return methods.size === 0 ? [] : [...methods, 'OPTIONS'].sort();
}

/**
 * An id that stands in the address may stand in the input again, but not another one: a call never acts on something else than its address says.
 * @throws AppError `invalid-argument` (bad_input)
 */
export function requireSameIds(inPath: Record<string, unknown>, input: Record<string, unknown>): void {
  for (const [name, id] of Object.entries(inPath)) {
    if (Object.hasOwn(input, name) && input[name] !== id) throw badInput(`The input is not valid: ${name}: the address names another one.`);
  }
}
