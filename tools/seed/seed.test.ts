import assert from 'node:assert/strict';
import { productSchema } from '../../functions/src/agents/schema.ts';
import { serverConfigSchema } from '../../functions/src/sessions/schema.ts';
import { expandSeed, readSeed, type Seed } from './seed.ts';
import { validateSeed } from './validate.ts';

/** The seed after a change that somebody could make by hand. */
function changed(change: (seed: Seed) => void): string[] {
  const seed = structuredClone(readSeed());
  change(seed);
  return validateSeed(seed);
}

function firstAgent(seed: Seed) {
  const agent = seed.users['player-rich']?.agents['agent-rich-aurora'];
  assert(agent);
  return agent;
}

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

  it('unfolds nested collections into documents and turns moments into timestamps', () => {
    const documents = expandSeed(readSeed(), (date) => date.getTime());
    const grant = documents.find(({ path }) => path === 'users/player-rich/agents/agent-rich-aurora/grants/trial-rich-1');
    assert.equal(grant?.fields['expiresAt'], Date.parse('2099-12-31T00:00:00.000Z'));
    const user = documents.find(({ path }) => path === 'users/player-rich');
    assert.deepEqual(Object.keys(user?.fields ?? {}), ['email', 'displayName', 'createdAt', 'activeSessions']);
    assert.equal(new Set(documents.map(({ path }) => path)).size, documents.length);
  });

  it('reports a balance that its ledger does not bear out', () => {
    const problems = changed((seed) => { firstAgent(seed).currentDOFs += 1; });
    assert.match(problems.join('\n'), /currentDOFs is 33801, the ledger sums to 33800/);
  });

  it('reports a lot that its ledger does not bear out', () => {
    const problems = changed((seed) => { firstAgent(seed).grants['trial-rich-1']!.remaining -= 5; });
    assert.match(problems.join('\n'), /trial-rich-1 has 3795 left instead of 3800/);
  });

  it('reports a product that does not exist', () => {
    const problems = changed((seed) => { firstAgent(seed).agentProductId = 'nobody'; });
    assert.match(problems.join('\n'), /there is no product nobody/);
  });

  it('reports an account without a user document', () => {
    const problems = changed((seed) => { delete seed.users['player-low']; });
    assert.deepEqual(problems, ['accounts: player-low has no user document with the same email']);
  });
});
