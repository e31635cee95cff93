import assert from 'node:assert/strict';
import { productSchema } from '../../functions/src/agents/schema.ts';
import { inputPrice, usagePrice, type PricedInput, type PricedUsage } from '../../functions/src/credits/prices.ts';
import { serverConfigSchema, sessionConfigSchema } from '../../functions/src/sessions/schema.ts';
import { liveVoice } from '../../functions/src/voice/voice.ts';
import { expandSeed, readSeed, type Seed, type SeedAgent } from './seed.ts';
import { validateSeed } from './validate.ts';

/** The seed after a change that somebody could make by hand. */
function changed(change: (seed: Seed) => void): string[] {
  const seed = structuredClone(readSeed());
  change(seed);
  return validateSeed(seed);
}

function firstAgent(seed: Seed): SeedAgent {
  const agent = seed.users['player-rich']?.agents['agent-rich-aurora'];
  assert(agent);
  return agent;
}

const trial = 'grant-trial-rich-1';
const settlement = 'settle-seed-session-rich-1-1200';
const sessionId = 'seed-session-rich-1';

describe('seed', () => {
  it('holds together: ledgers, lots and balances agree', () => {
    assert.deepEqual(validateSeed(readSeed()), []);
  });

  it('is what the functions accept as products and as configuration', () => {
    const { products, config } = readSeed();
    for (const product of Object.values(products)) productSchema.parse(product);
    serverConfigSchema.parse(config['server']);
  });

  it('offers every rank of every provider', () => {
    const offered = Object.values(readSeed().products).map(({ provider, rank }) => `${provider} ${rank}`);
    for (const provider of ['gemini', 'google', 'openai']) {
      for (const rank of ['rookie', 'veteran', 'elite', 'legend']) assert(offered.includes(`${provider} ${rank}`), `${provider} ${rank}`);
    }
  });

  it('unfolds nested collections into documents and turns moments at any depth into timestamps', () => {
    const documents = expandSeed(readSeed(), (date) => date.getTime());
    const fieldsOf = (path: string) => documents.find((document) => document.path === path)?.fields;
    const agent = 'users/player-rich/agents/agent-rich-aurora';
    const expiresAt = Date.parse('2099-12-31T00:00:00.000Z');
    assert.equal(fieldsOf(`${agent}/grants/${trial}`)?.['expiresAt'], expiresAt);
    assert.deepEqual((fieldsOf(agent)?.['lots'] as Record<string, unknown>)[trial], {
      source: 'trial', remaining: 3_800, priority: 10, expiresAt, rollover: null, voided: false, createdAt: Date.parse('2026-09-02T08:00:00.000Z'),
    });
    assert.equal(fieldsOf(agent)?.['dueAt'], expiresAt);
    assert.deepEqual(Object.keys(fieldsOf('users/player-rich') ?? {}), ['email', 'displayName', 'createdAt', 'activeSessions']);
    assert.equal(fieldsOf(`${agent}/holds/${sessionId}`)?.['resolvedAt'], fieldsOf(`${agent}/ledger/${settlement}`)?.['createdAt']);
    assert.equal(fieldsOf(`sessions/${sessionId}/checkpoints/final`)?.['lastAt'], Date.parse('2026-09-03T19:29:53.000Z'));
    assert.equal(new Set(documents.map(({ path }) => path)).size, documents.length);
  });

  it('gives a session the config that its product unwraps to', () => {
    const documents = expandSeed(readSeed(), (date) => date.getTime());
    const sessions = documents.filter(({ path }) => /^sessions\/[^/]+$/.test(path));
    assert.equal(sessions.length, 4);
    for (const { fields } of sessions) assert.deepEqual(sessionConfigSchema.parse(fields['config']), fields['config']);
  });

  it('charges every line of a receipt by the rates that its session has pinned', () => {
    const { products, sessions } = readSeed();
    for (const { agentProductId, checkpoints } of Object.values(sessions)) {
      for (const { from, to, input, usage, requestId } of checkpoints['final']!.lines) {
        const rates = products[agentProductId]!.dofRates;
        const priced = { ...input, frame: input.frame as PricedInput['frame'], textCharacters: 0, modelCalls: 1, spoken: false };
        assert.equal(to - from, inputPrice(rates, priced) + usagePrice(rates, { ...usage, spokenCharacters: 0 } as PricedUsage), requestId);
      }
    }
  });

  it('lets every product that talks do so live, in the voice of its vendor', () => {
    for (const [id, { provider, voiceId, hasVoiceChat, dofRates }] of Object.entries(readSeed().products)) {
      if (hasVoiceChat && dofRates.voiceMinute !== undefined) assert.doesNotThrow(() => liveVoice(provider, voiceId), id);
    }
  });

  const faults: [string, (seed: Seed) => void, RegExp][] = [
    ['a balance that its ledger does not bear out', (seed) => { firstAgent(seed).currentDOFs += 1; }, /currentDOFs is 33801, the ledger sums to 33800/],
    ['a lot that its ledger does not bear out', (seed) => { firstAgent(seed).lots[trial]!.remaining -= 5; }, /grant-trial-rich-1 has 3795 left instead of 3800/],
    ['a lot that is missing', (seed) => { delete firstAgent(seed).lots[trial]; }, /grant-trial-rich-1 has 0 left instead of 3800/],
    ['a lot that is used up and stands there', (seed) => { firstAgent(seed).lots['gone'] = { ...firstAgent(seed).lots[trial]!, remaining: 0 }; }, /the lot gone has 0 left and stands there all the same/],
    ['a lot that differs from its grant', (seed) => { firstAgent(seed).lots[trial]!.priority = 1; }, /the lot grant-trial-rich-1 differs from its grant/],
    ['a grant that was never entered', (seed) => { firstAgent(seed).grants[trial]!.amount += 1; }, /grant-trial-rich-1 has no ledger entry of the same id and amount/],
    ['an entry with another amount than its lots', (seed) => { firstAgent(seed).ledger[settlement]!.lots[0]!.amount = -1_199; }, /has amount -1200, its lots less debt change by -1199/],
    ['an entry that takes more than is left', (seed) => { firstAgent(seed).ledger[settlement]!.lots[0]!.amount = -5_001; }, /takes more from grant-trial-rich-1 than is left/],
    ['debt that the ledger does not bear out', (seed) => { firstAgent(seed).debtDOFs = 7; }, /debtDOFs is 7, the ledger sums to 0/],
    ['a wrong moment for the sweep', (seed) => { firstAgent(seed).dueAt = null; }, /dueAt is null, the first open lot expires at 2099-12-31/],
    ['DOFs held for nobody', (seed) => { firstAgent(seed).heldDOFs = 3; }, /something is held, but no session of the seed is open/],
    ['a hold that released something else than its lots got', (seed) => { firstAgent(seed).resolvedHolds[sessionId]!.releasedDOFs = 1; }, /released 1, its lots got 3800/],
    ['a settlement of a session that does not exist', (seed) => { delete seed.sessions[sessionId]; }, /names the session seed-session-rich-1, which does not exist/],
    ['a session that settled something else than the ledger', (seed) => { seed.sessions[sessionId]!.settledDOFs = 1_199; }, /it consumed 1200 and settled 1199, the ledger says 1200/],
    ['a session whose hold was never resolved', (seed) => { delete firstAgent(seed).resolvedHolds[sessionId]; }, /its hold was never resolved/],
    ['a gap in a receipt', (seed) => { seed.sessions[sessionId]!.checkpoints['final']!.lines.splice(1, 1); }, /the line seed-request-3 goes from 800 to 1200 instead of on from 390/],
    ['a product that does not exist', (seed) => { firstAgent(seed).agentProductId = 'nobody'; }, /there is no product nobody/],
  ];
  for (const [fault, change, problem] of faults) it(`reports ${fault}`, () => assert.match(changed(change).join('\n'), problem));

  it('reports an account without a user document of its own', () => {
    const problems = changed((seed) => { seed.accounts.find(({ uid }) => uid === 'admin')!.email = 'other@jiga.example'; });
    assert.deepEqual(problems, ['accounts: admin has no user document with the same email']);
  });
});
