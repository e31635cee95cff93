import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describeError } from './errors.ts';
import { scrubbed } from './scrub.ts';

function thrownBy(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

describe('the text of an error in the log', () => {
  it('is left as it is where it says nothing of anybody', () => {
    for (const text of ['14 UNAVAILABLE: no connection established', 'socket hang up', 'no answer within 3000 ms', 'hold s1 is pending already', "it can't be done"]) assert.equal(scrubbed(text), text);
  });

  for (const [what, text, left] of [
    ['what was sent', `Unexpected token 'I', "I am "Zoe" of X" is not valid JSON`, `Unexpected token '…', "…" is not valid JSON`],
    ['a text with an apostrophe', "bad value 'I'm Zoe'", "bad value '…'"],
    ['a template', 'cannot read `my diary`', 'cannot read `…`'],
    ['an e-mail address', 'no account zoe@example.com here', 'no account …@… here'],
    ['an account', 'no document users/zoe-1/agents/a1', 'no document users/…/agents/a1'],
    ['a member', 'set at presence/s1/zoe-1/c1 failed', 'set at presence/s1/…/c1 failed'],
    ['an address', 'connect ECONNREFUSED 203.0.113.9:443', 'connect ECONNREFUSED …:443'],
    ['an address of the new kind', 'from 2001:db8::7 and ::1', 'from … and …'],
    ['a token', `Bearer ${'eyJhbGciOi'.repeat(4)}.${'abcdefghij'.repeat(4)}`, 'Bearer ….…'],
  ] as const) {
    it(`does not repeat ${what}`, () => { assert.equal(scrubbed(text), left); });
  }

  it('repeats nothing that is quoted, whatever it is', () => {
    fc.assert(fc.property(fc.string({ minLength: 1, maxLength: 300 }), fc.constantFrom('"', "'", '`'), (planted, quote) => {
      assert.equal(scrubbed(`wrong: ${quote}§${planted}§${quote} here`).includes('§'), false);
    }));
  });

  it('is no longer than what people read', () => {
    assert.equal(scrubbed('words '.repeat(1_000)).length, 500);
    assert.equal(scrubbed(`"${'words '.repeat(100_000)}`), '…');
  });
});

describe('an unexpected error in the log', () => {
  it('says what it is, where it was thrown and what caused it, without what it repeats', () => {
    const cause = thrownBy(() => JSON.parse('{"my secret": nobody knows}'));
    const error = Object.assign(new Error('cannot read\n    at "my secret" (diary:1:1)', { cause }), { code: 'ERR_READ' });
    const { stack, cause: described, ...rest } = describeError(error);
    assert.deepEqual(rest, { name: 'Error', code: 'ERR_READ', message: 'cannot read\n    at "…" (diary:1:1)' });
    assert.match(stack ?? '', /^at .*scrub\.test\.ts:\d+:\d+/);
    assert.equal(described?.name, 'SyntaxError');
    assert.match(described?.stack ?? '', /scrub\.test\.ts/);
    assert.doesNotMatch(JSON.stringify(describeError(error)), /secret|nobody/);
  });

  it('has no code that is a text of its own', () => {
    assert.equal('code' in describeError(Object.assign(new Error('x'), { code: 'my secret' })), false);
    assert.equal('code' in describeError(Object.assign(new Error('x'), { code: { of: 'zoe' } })), false);
  });
});
