import assert from 'node:assert/strict';
import fc from 'fast-check';
import { cutToWeight, fittingNote, maxExchangeCharacters, maxExchanges, maxSummaryNoteCharacters, mostCharacters, weightOf } from './bounds.ts';

describe('the weight of a text', () => {
  it('counts other scripts than Latin several times', () => {
    assert.deepEqual(['', 'abc', 'Ångström', 'привет', '你好', '🔥'].map(weightOf), [0, 3, 8, 24, 8, 8]);
  });

  it('is what a text can be cut to, never within a character', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), fc.nat(100), (text, most) => {
      const cut = cutToWeight(text, most);
      assert.ok(weightOf(cut) <= most && cut.isWellFormed() && text.toWellFormed().startsWith(cut));
      if (weightOf(text) <= most) assert.equal(cut, text.toWellFormed());
    }));
  });
});

describe('a note', () => {
  it('is whole when it fits as it is written, and cut when it does not', () => {
    assert.equal(fittingNote('a "b" c', 11), 'a "b" c');
    assert.equal(fittingNote('a "b" c', 10), 'a "b" ');
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom('"', '\\', 'a', '語', '🔥') }), fc.integer({ min: 4, max: 60 }), (note, most) => {
      const fitting = fittingNote(note, most);
      assert.ok(weightOf(JSON.stringify(fitting)) <= most && note.startsWith(fitting));
    }));
  });
});

describe('what a model may read in a turn', () => {
  const plain = { prompt: 'p'.repeat(100), instruction: 'i'.repeat(50), conversation: false, notes: false, tools: [], maxOutputTokens: 512 };
  const tools = [{ name: 'lookUpGuide', description: 'Looks up.', parameters: {} }];

  it('is the prompt and the instruction, once, without anything beside them', () => assert.equal(mostCharacters(plain), 150));

  it('grows with earlier turns, notes and tools, which are read again by every call', () => {
    const conversation = mostCharacters({ ...plain, conversation: true });
    const notes = mostCharacters({ ...plain, conversation: true, notes: true });
    assert.ok(conversation > 150 + 2 * maxExchanges * maxExchangeCharacters + maxSummaryNoteCharacters && conversation < notes);
    assert.ok(mostCharacters({ ...plain, conversation: true, notes: true, tools }) > 3 * notes);
  });

  it('counts an instruction by its weight', () => assert.equal(mostCharacters({ ...plain, instruction: '好'.repeat(50) }), 300));
});
