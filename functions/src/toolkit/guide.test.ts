import assert from 'node:assert/strict';
import fc from 'fast-check';
import { lookUp, passagesOf } from './guide.ts';

const guide = {
  games: ['Tiles of Tarn', 'Citadel Drift'],
  tips: { opening: 'Take the ÄUSSERE tile of the board first.', end: 'Count the tiles that are left.', players: 4 },
  guidance: 'Weigh the plans.',
};

describe('the guide', () => {
  it('is read as passages with the path to each', () => {
    assert.deepEqual(passagesOf(guide), [
      'games: Tiles of Tarn', 'games: Citadel Drift', 'tips.opening: Take the ÄUSSERE tile of the board first.', 'tips.end: Count the tiles that are left.', 'tips.players: 4', 'guidance: Weigh the plans.',
    ]);
    assert.deepEqual(passagesOf(null), []);
    assert.deepEqual(passagesOf({ a: null, b: [], c: {}, d: true }), ['d: true']);
  });

  it('finds what shares words with the topic, whatever the case', () => {
    assert.deepEqual(lookUp(guide, 'äussere'), ['tips.opening: Take the ÄUSSERE tile of the board first.']);
    assert.deepEqual(lookUp(guide, 'CITADEL!'), ['games: Citadel Drift']);
    assert.deepEqual(lookUp(guide, 'dragons'), []);
    assert.deepEqual(lookUp(guide, '?'), []);
    assert.deepEqual(lookUp(null, 'tiles'), []);
  });

  it('counts paths as words, and rare words for more than frequent ones', () => {
    assert.deepEqual(lookUp(guide, 'players'), ['tips.players: 4']);
    assert.equal(lookUp(guide, 'the opening of the board')[0], 'tips.opening: Take the ÄUSSERE tile of the board first.');
    assert.equal(lookUp(guide, 'the plans')[0], 'guidance: Weigh the plans.');
  });

  it('gives three passages at most, the best first and equals in their order', () => {
    assert.deepEqual(lookUp({ a: ['red one', 'red two', 'red blue', 'red four'] }, 'red blue'), ['a: red blue', 'a: red one', 'a: red two']);
  });

  it('gives a long text in pieces that end with a word', () => {
    const words = Array.from({ length: 200 }, (_, index) => `word${index}`);
    const passages = passagesOf({ text: words.join(' ') });
    assert.ok(passages.length > 4);
    assert.deepEqual(passages.flatMap((passage) => passage.slice('text: '.length).split(' ')), words);
    assert.match(lookUp({ text: words.join(' ') }, 'word150')[0]!, /\bword150\b/);
  });

  it('is bounded, whatever it is made of', () => {
    fc.assert(fc.property(fc.dictionary(fc.string(), fc.anything({ maxDepth: 4 })), fc.string(), (any, topic) => {
      for (const passage of passagesOf(any)) assert.ok(passage.length <= 400);
      assert.ok(lookUp(any, topic).length <= 3);
    }));
    assert.ok(passagesOf({ many: Array.from({ length: 5_000 }, String) }).length <= 2_000);
    assert.deepEqual(passagesOf({ '': JSON.parse(`${'['.repeat(50)}"deep"${']'.repeat(50)}`) as unknown }), []);
  });
});
