import type { Mutation } from './mutation.ts';
import { unit } from './tests.ts';

/** Mutants of what a turn may cost, and of whom a model and a vendor can reach. */
export const turnMutations: Mutation[] = [
  { guard: 'price bound', what: 'A frame that is skipped costs more than one that is seen.', file: 'credits/charge.ts', find: 'inputPrice(rates, input), rates.frame.skipped', replace: 'rates.frame.skipped', tests: [unit('credits/charge')] },
  { guard: 'price bound', what: 'A vendor may bill more characters than the reply has.', file: 'live/speaking.ts', find: 'Math.min(speech.characters, answer.reply.length)', replace: 'speech.characters', tests: [unit('live/ask')] },
  { guard: 'price bound', what: 'A turn near the end of its session goes on with tools that nobody holds for.', file: 'live/ask.ts', find: 'held >= prepared.held ? prepared.tools : []', replace: 'prepared.tools', tests: [unit('live/ask')] },
  { guard: 'price bound', what: 'A model has as many calls carried out as it likes.', file: 'live/converse.ts', find: 'run.calls.slice(0, maxToolCalls)', replace: 'run.calls', tests: [unit('live/converse')] },
  { guard: 'price bound', what: 'A model is offered tools for ever.', file: 'live/converse.ts', find: ' && rounds.length < maxToolRounds', replace: '', tests: [unit('live/converse')] },
  { guard: 'price bound', what: 'Each call of a turn may generate as much as all of them together.', file: 'live/converse.ts', find: 'return { ...request, maxOutputTokens,', replace: 'return { ...request,', tests: [unit('live/converse')] },
  { guard: 'price bound', what: 'Only the first call of a turn with tools is held for.', file: 'live/prepare.ts', find: 'tools.length === 0 ? 1 : 1 + maxToolRounds', replace: '1', tests: [unit('live/prepare')] },
  { guard: 'price bound', what: 'Calls that were answered and billed are free when a later one fails.', file: 'live/converse.ts', find: "last.outcome === 'failed' && runs.length > 1", replace: 'runs.length < 0', tests: [unit('live/converse')] },
  { guard: 'quota', what: 'Who leaves while the vendor is asked for a token may ask for ever.', file: 'voice/mint.ts', find: 'countsAllTheSame: callerGone.aborted', replace: 'countsAllTheSame: false', tests: [unit('voice/mint')] },
  { guard: 'prepaid', what: 'A voice token is free once it has expired.', file: 'credits/holds.ts', find: "if (onExpiry !== 'post')", replace: 'if (amount > 0)', tests: [unit('credits/holds')] },
  { guard: 'quota', what: 'A user gets one voice token more a day.', file: 'voice/voice.ts', find: 'if (count < limit)', replace: 'if (count <= limit)', tests: [unit('voice/voice')] },
  { guard: 'quota', what: 'A session gets any number of voice tokens at a time.', file: 'voice/voice.ts', find: 'if (last <= now) return;', replace: 'if (last <= Infinity) return;', tests: [unit('voice/voice')] },
  { guard: 'quota', what: 'A model that failed is asked for ever.', file: 'providers/retry.ts', find: ' || calls === mostCalls', replace: '', tests: [unit('providers/retry')] },
  { guard: 'reach', what: 'A model calls tools that its product does not have.', file: 'toolkit/toolkit.ts', find: 'ports.offered.includes(name) ? tools.get(name) : undefined', replace: 'tools.get(name)', tests: [unit('toolkit/toolkit')] },
  { guard: 'reach', what: 'A vendor sends key and prompt elsewhere.', file: 'providers/vendor-fetch.ts', find: "redirect: 'error'", replace: "redirect: 'follow'", tests: [unit('providers/vendor-fetch')] },
  { guard: 'reach', what: 'Any host may be configured as a vendor.', file: 'providers/registry.ts', find: ' && hosts.test(url.hostname)', replace: '', tests: [unit('providers/registry')] },
];
