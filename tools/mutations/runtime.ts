import type { Mutation } from './mutation.ts';
import { unit } from './tests.ts';

/** Mutants of what stands before every operation. */
export const runtimeMutations: Mutation[] = [
  {
    guard: 'rate limit', what: 'Calls that passed unbooked are never booked.', file: 'runtime/rate.ts',
    find: 'const used = current.calls + past;', replace: 'const used = current.calls;', tests: [unit('runtime/rate')],
  },
  {
    guard: 'rate limit', what: 'An instance lets the whole limit pass without booking it.', file: 'runtime/rate-limiter.ts',
    find: 'allowance: allowanceOf(this.#limit),', replace: 'allowance: this.#limit.calls,', tests: [unit('runtime/rate-limiter')],
  },
  {
    guard: 'rate limit', what: 'A client chooses the address that its calls are counted for.', file: 'runtime/address.ts',
    find: 'networkOf(hops.at(-1 - ownProxies) ?? ', replace: 'networkOf(hops[0] ?? ', tests: [unit('runtime/address')],
  },
  {
    guard: 'replay', what: 'An App Check token that was used up is taken again.', file: 'runtime/app-check.ts',
    find: 'if (alreadyConsumed) throw', replace: 'if (alreadyConsumed && !once) throw', tests: [unit('runtime/app-check')],
  },
  {
    guard: 'replay', what: 'The platform\'s check of a token stands for using it up.', file: 'runtime/app-check.ts',
    find: '(verified && !once)', replace: 'verified', tests: [unit('runtime/app-check')],
  },
  {
    guard: 'reach', what: 'A call acts on another id than its address names.', file: 'runtime/rest-rules.ts',
    find: 'Object.hasOwn(input, name) && input[name] !== id', replace: 'false', tests: [unit('runtime/rest-rules')],
  },
  {
    guard: 'reach', what: 'Everybody who is signed in may do what administrators may.', file: 'runtime/operation.ts',
    find: 'op.access === \'admin\' && !caller.admin', replace: 'false', tests: [unit('runtime/operation')],
  },
  {
    guard: 'reach', what: 'A callable takes the SDK\'s word for what is wrong with a token.', file: 'runtime/operation.ts',
    find: 'delete request.headers.authorization;', replace: '', tests: [unit('runtime/operation')],
  },
  {
    guard: 'reach', what: 'Google\'s silence signs everybody out.', file: 'runtime/caller.ts',
    find: ' || /^Error (fetching public keys|while making request)/.test(message)', replace: '', tests: [unit('runtime/caller')],
  },
];
