import assert from 'node:assert/strict';
import { abilitiesWith } from '../../test/abilities.ts';
import { rates } from '../../test/money.ts';
import { adapters, audio, frame, key, prompt, watchSdks, type Adapter } from '../../test/vendors/adapters.ts';
import { everythingIn } from '../../test/vendors/collect.ts';
import { startMockVendor, vendorModes, type MockVendor, type VendorMode } from '../../test/vendors/server.ts';
import { estimatePrice, inputPrice, leastOutputTokens, leastPrice, maxOutputTokens, type PricedInput } from '../credits/prices.ts';
import { newBreakers } from '../providers/breakers.ts';
import { resilientProvider } from '../providers/resilient.ts';
import type { ErrorReason } from '../runtime/errors.ts';
import { useDatabases, type Databases } from '../runtime/firebase.ts';
import { useLog } from '../runtime/log.ts';
import { useSystem } from '../runtime/system.ts';
import { serverConfigSchema, type SessionConfig } from '../sessions/schema.ts';
import { askModel, type Answer } from './ask.ts';
import type { PreparedTurn } from './prepare.ts';
import { StreamWriter } from './stream.ts';

// 5 DOFs for the frame and 2 for the instruction, and one for each token that is generated, reasoning included.
const dofRates = rates({ frame: { standard: 5 }, instruction: 2, per1kTokens: { output: 1_000, reasoning: 1_000 } });
const sent = 7;
const { limits } = serverConfigSchema.omit({ modelRouting: true }).parse({ endpoints: { apiBaseUrl: '', liveDatabaseUrl: '' } });
const config = { dofRates, limits, provider: 'gemini' } as SessionConfig;
const priced: PricedInput = { frame: 'standard', instruction: true, audioSeconds: 1, textCharacters: 100, modelCalls: 3, spoken: false };
const held = estimatePrice(dofRates, priced);
const guide = { name: 'lookUpGuide', description: 'Looks something up.', parameters: { type: 'object', properties: { topic: { type: 'string' } } } };

function prepare(model: string, stream: boolean): PreparedTurn {
  return {
    hash: 'h', model: { model, systemPrompt: 'You watch a game.', instruction: prompt, frame, audio, maxOutputTokens, stream }, tools: [guide], conversation: true, skippable: false, priced, held,
    bare: { priced, held, least: leastPrice(dofRates, priced), leastOutputTokens }, about: { frame: 'standard', instruction: true, audioSeconds: 1 }, inputPrice: inputPrice(dofRates, priced),
  };
}

/** A database that takes everything, so that only the vendor is real. */
const node = { update: () => Promise.resolve(), push: () => Promise.resolve(), child: () => node };

/** What a turn comes to, and how often the vendor was asked. */
interface Expected {
  outcome: Answer['outcome'];
  reply?: RegExp;
  cost: number;
  requests: number;
  /** Functions that were carried out. */
  called?: number;
  estimated?: boolean;
  reason?: ErrorReason;
}

const whole = /^The player jumps over a green enemy — ¡olé!$/;
const failed = (reason: ErrorReason, requests = 1): Expected => ({ outcome: 'failed', cost: 0, requests, reason });
/** Cut after its beginning, of 11 characters: 3 tokens by the rule of the estimate. */
const begun: Expected = { outcome: 'cut', reply: /^The player $/, cost: sent + 3, requests: 1, estimated: true, reason: 'provider_unavailable' };
/** Nothing had come: asked three times, and given up. */
const gone = failed('provider_unavailable', 3);

/** The charge policy on the wire: every behaviour of a vendor, streamed and in one piece. The fixtures report 12 tokens of output and 40 of reasoning. */
const table: Record<Exclude<VendorMode, 'slow' | 'stalled'>, [streamed: Expected, inOnePiece?: Expected]> = {
  'ok': [{ outcome: 'complete', reply: whole, cost: sent + 52, requests: 1 }],
  'refusal': [{ outcome: 'refused', reply: /^$/, cost: sent, requests: 1 }],
  'wrong-counts': [{ outcome: 'complete', reply: whole, cost: held, requests: 1 }],
  'tools': [{ outcome: 'complete', reply: /^I look it up\. The player jumps over a green enemy — ¡olé!$/, cost: sent + 105, requests: 2, called: 2 }],
  'empty': [gone],
  'bad-key': [failed('provider_configuration')],
  'unauthorized': [failed('provider_configuration')],
  'forbidden': [failed('provider_configuration')],
  'missing-model': [failed('provider_configuration')],
  'bad-media': [failed('bad_media')],
  'busy': [failed('provider_busy')], // It asks for 17 s: nobody is kept waiting that long.
  'broken': [gone],
  'half': [begun, gone],
  'cut': [begun, gone],
  'garbage': [begun, gone],
  'error-inside': [{ ...begun, reason: 'provider_busy' }, gone],
  'oversized': [{ outcome: 'cut', reply: /^(la )+$/, cost: held, requests: 1, estimated: true, reason: 'dofs_exhausted' }, gone],
  'redirect': [gone],
};

/** Twice as much has come by then on Gemini's wire: 43 characters, 11 tokens. */
const further: Expected = { ...begun, reply: whole, cost: sent + 11 };

/** Where a wire or an SDK differs. */
const exceptions: { of: (adapter: Adapter) => boolean; mode: VendorMode; stream: boolean; expected: Expected }[] = [
  { of: ({ wire }) => wire === 'gemini', mode: 'half', stream: true, expected: further },
  { of: ({ wire }) => wire === 'gemini', mode: 'cut', stream: true, expected: further },
  { of: ({ wire }) => wire === 'gemini', mode: 'garbage', stream: true, expected: further },
  // The archived SDK reads ahead: it fails at what it cannot parse before it hands on what came before.
  { of: ({ title }) => title === 'gemini', mode: 'garbage', stream: true, expected: gone },
  // It also takes an error in a body that came with 200 for a reply, so that its code is known.
  { of: ({ title }) => title === 'gemini', mode: 'error-inside', stream: false, expected: failed('provider_busy', 3) },
  // OpenAI reports 3 tokens for a refusal.
  { of: ({ wire }) => wire === 'openai', mode: 'refusal', stream: true, expected: { ...table.refusal[0], cost: sent + 3 } },
  { of: ({ wire }) => wire === 'openai', mode: 'refusal', stream: false, expected: { ...table.refusal[0], cost: sent + 3 } },
];

function expectationOf(adapter: Adapter, mode: keyof typeof table, stream: boolean): Expected {
  const [streamed, inOnePiece = streamed] = table[mode];
  return exceptions.findLast((each) => each.of(adapter) && each.mode === mode && each.stream === stream)?.expected ?? (stream ? streamed : inOnePiece);
}

async function ask(adapter: Adapter, vendor: MockVendor, mode: VendorMode, stream: boolean): Promise<Answer & { called: number }> {
  vendor.mode = mode;
  let called = 0;
  const [caller, session] = [new AbortController(), new AbortController()];
  const provider = resilientProvider([{ provider: 'gemini', model: adapter.model }], { load: () => Promise.resolve(adapter.load(vendor.url)), breakers: newBreakers(), deadlineAt: Number.MAX_SAFE_INTEGER });
  const answer = await askModel({
    about: { sessionId: 's1', turnId: 't1', ownerId: 'u1', agentInstanceId: 'a1', config }, prepared: prepare(adapter.model, stream), held, writer: new StreamWriter('s1', 't1', 'u1', session.signal), emit: () => undefined, beside: () => undefined,
    callerGone: caller.signal, closed: session.signal,
  }, {
    now: () => 1_000,
    abilities: abilitiesWith(provider, { callTool: () => {
      called += 1;
      return Promise.resolve({ passages: ['Shields take three hits.'] });
    } }),
  });
  return { ...answer, called };
}

for (const adapter of adapters) {
  for (const stream of [true, false]) {
    describe(`a turn with ${adapter.title}, ${stream ? 'streamed' : 'in one piece'}`, () => {
      watchSdks();
      let vendor: MockVendor;

      before(async () => {
        vendor = await startMockVendor();
      });
      after(() => vendor.close());
      beforeEach(() => {
        vendor.requests.length = 0;
        useDatabases({ live: { ref: () => node } } as unknown as Databases);
        useLog({ info: () => undefined, warn: () => undefined, write: () => undefined });
        useSystem({
          now: () => 1_000, newId: () => 'id', random: () => 0,
          after: (ms, act) => {
            // The deadline of the turn does not come; a wait before a retry is over at once.
            if (ms > 40_000) return () => undefined;
            const timer = setImmediate(act);
            return () => clearImmediate(timer);
          },
        });
      });
      afterEach(() => {
        useDatabases(null);
        useLog(null);
        useSystem(null);
      });

      for (const mode of Object.keys(table) as (keyof typeof table)[]) {
        const expected = expectationOf(adapter, mode, stream);
        it(`${mode}: ${expected.outcome}, ${expected.cost} DOFs after ${expected.requests} requests`, async () => {
          const answer = await ask(adapter, vendor, mode, stream);
          assert.equal(answer.outcome, expected.outcome);
          assert.match(answer.reply, expected.reply ?? /^$/);
          assert.deepEqual(answer.priced, { cost: expected.cost, estimated: expected.estimated ?? false });
          assert.deepEqual([vendor.requests.length, answer.called], [expected.requests, expected.called ?? 0]);
          assert.equal(answer.error?.details?.reason, expected.reason);
          assert.ok(!everythingIn(answer.error).includes(key));
        });
      }
    });
  }
}

describe('the table of vendors\' behaviours', () => {
  it('is complete; a vendor that is silent is stopped by the deadline, see providers/vendors.test.ts', () => {
    assert.deepEqual([...Object.keys(table), 'slow', 'stalled'].sort(), vendorModes.toSorted());
  });
});
