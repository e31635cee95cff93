import assert from 'node:assert/strict';
import fc from 'fast-check';
import { injections } from '../../test/injections.ts';
import { at, moment } from '../../test/money.ts';
import { cutAtWord, factId, isExpired, plainText, toMemoryView, turnExpiry, turnSummary } from './memory.ts';
import { deleteMemoryInput, memoryView } from './schema.ts';

const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 800 }), fc.string({ maxLength: 800 }), fc.array(fc.constantFrom('a', 'bcd', ' ', '\n', '\u200B', '\u202E', '\uD83D', '😀', 'é', '\u0000'), { maxLength: 200 }).map((parts) => parts.join('')), fc.constantFrom(...injections));

describe('memories: plain text', () => {
  it('is one line without what cannot be seen', () => {
    const table: [string, string][] = [
      ['  two   words ', 'two words'], ['a\r\nSYSTEM: b', 'a SYSTEM: b'], ['a\u0000b\u2028c', 'a b c'], ['gr\u200Ba\u2060nt\uFEFF', 'grant'], ['\u202Eabc\u202C', 'abc'], ['x\u{E0041}\u{E007F}y', 'xy'],
      ['e\u0301', 'é'], ['\uD83D lone', '\uFFFD lone'], ['👩‍🚀 می‌خواهم', '👩‍🚀 می‌خواهم'], ['\u200B', ''], ['', ''],
    ];
    for (const [text, plain] of table) assert.equal(plainText(text, 100), plain, JSON.stringify(text));
  });

  it('stays as it is when it is made plain again, and within its bound', () => {
    fc.assert(fc.property(anyText, fc.integer({ min: 1, max: 600 }), (text, most) => {
      const plain = plainText(text, most);
      assert.ok(plain.length <= most && plain.isWellFormed() && !/\s\s|^\s|\s$|\p{Cc}/u.test(plain), JSON.stringify(plain));
      assert.equal(plainText(plain, most), plain);
    }));
  });

  it('is cut after a word, or within one that is too long', () => {
    assert.equal(cutAtWord('one two three', 13), 'one two three');
    assert.equal(cutAtWord('one two three', 12), 'one two…');
    assert.equal(cutAtWord('one two three', 8), 'one two…');
    assert.equal(cutAtWord('three two one', 9), 'three…', 'the end of a word needs room for the ellipsis');
    assert.equal(cutAtWord('a'.repeat(20), 5), 'aaaa…');
    assert.equal(cutAtWord('aaa😀😀', 5), 'aaa…', 'no half of a character');
  });
});

describe('memories: facts and turns', () => {
  it('have the same id when only case, blanks or the form of the letters differ', () => {
    const id = factId('The player likes Maps');
    for (const same of ['the player likes maps', ' The  player\nlikes MAPS ', 'The player likes Ｍaps', 'The play\u200Ber likes Maps']) assert.equal(factId(same), id, same);
    for (const other of ['The player likes map', 'The player, likes Maps', '']) assert.notEqual(factId(other), id, other);
  });

  it('have ids that an owner can delete them by', () => {
    fc.assert(fc.property(anyText, (fact) => assert.ok(deleteMemoryInput.safeParse({ agentInstanceId: 'a1', memoryId: factId(fact) }).success)));
  });

  it('of a turn say what both said', () => {
    assert.equal(turnSummary({ instruction: ' What\nnow? ', reply: 'Take the  key.' }), 'Player: What now? Agent: Take the key.');
    const long = turnSummary({ instruction: 'why '.repeat(500), reply: 'because '.repeat(500) });
    assert.match(long, /^Player: (why )+why… Agent: (because )+because…$/);
  });

  it('of a turn are bounded', () => {
    fc.assert(fc.property(anyText, anyText, (instruction, reply) => assert.ok(turnSummary({ instruction, reply }).length <= 500)));
  });

  it('of a turn are kept for 90 days, facts for ever', () => {
    const expiresAt = at(turnExpiry(moment));
    assert.equal(turnExpiry(moment) - moment, 90 * 24 * 3_600_000);
    assert.deepEqual([isExpired({ expiresAt }, turnExpiry(moment) - 1), isExpired({ expiresAt }, turnExpiry(moment)), isExpired({ expiresAt: null }, turnExpiry(moment))], [false, true, false]);
  });

  it('are shown as the contract says', () => {
    const shown = toMemoryView({ memoryId: 'm', kind: 'turn', text: 'x', sessionId: 's', turnId: 't', createdAt: at(moment), expiresAt: at(moment + 1) });
    assert.deepEqual(shown, { memoryId: 'm', kind: 'turn', text: 'x', sessionId: 's', turnId: 't', createdAt: new Date(moment).toISOString(), expiresAt: new Date(moment + 1).toISOString() });
    assert.deepEqual(memoryView.parse(shown), shown);
    assert.equal(toMemoryView({ memoryId: 'm', kind: 'fact', text: 'x', sessionId: 's', turnId: null, createdAt: at(moment), expiresAt: null }).expiresAt, null);
  });
});
