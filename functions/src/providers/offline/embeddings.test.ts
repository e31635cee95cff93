import assert from 'node:assert/strict';
import fc from 'fast-check';
import { offlineEmbeddings } from './embeddings.ts';

const embed = (texts: string[], purpose: 'document' | 'query' = 'document') => offlineEmbeddings().embed({ model: 'offline', texts, purpose, signal: new AbortController().signal });
const likeness = async (one: string, other: string) => {
  const [a = [], b = []] = await embed([one, other]);
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? NaN), 0);
};

describe('offline embeddings', () => {
  it('are 768 numbers of length 1, for any text', async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 4 }), async (texts) => {
      const vectors = await embed([...texts, '', '!?']);
      assert.equal(vectors.length, texts.length + 2);
      for (const vector of vectors) assert.ok(vector.length === 768 && Math.abs(Math.hypot(...vector) - 1) < 1e-9);
    }));
  });

  it('are the same for the same text, stored or looked for, in any case and spelling of its letters', async () => {
    assert.deepEqual(await embed(['The red key']), await embed(['The red key'], 'query'));
    assert.deepEqual(await embed(['Straße CAFÉ ﬁre']), await embed(['straße cafe\u0301 fire']));
    assert.notDeepEqual(await embed(['key']), await embed(['kex']));
  });

  it('are near where words are shared, less so where stems are, far elsewhere', async () => {
    const facts = ['The red key is under the bridge.', 'The player likes strawberry ice cream.', 'Level three has a boss that fears fire.', 'Мой пёс любит снег.'];
    const questions = ['Where is the red key?', 'which ice cream does the player like', 'What does the boss of level three fear?', 'любит ли пёс снег'];
    for (const [wanted, question] of questions.entries()) {
      const found = await Promise.all(facts.map((fact) => likeness(question, fact)));
      assert.equal(found.indexOf(Math.max(...found)), wanted, question);
    }
    const [same, stem, other] = await Promise.all([likeness('jumping', 'jumping'), likeness('jumping', 'jumped'), likeness('jumping', 'castle')]);
    assert.ok(same > 0.999 && stem < same && stem > other + 0.05);
  });

  it('stop with the signal', () => assert.rejects(offlineEmbeddings().embed({ model: 'offline', texts: ['a'], purpose: 'query', signal: AbortSignal.abort() }), { code: 'deadline-exceeded' }));
});
