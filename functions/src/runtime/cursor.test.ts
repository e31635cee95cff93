import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parseCursor, parseCursorOf, toCursor } from './cursor.ts';

const encode = (text: string): string => Buffer.from(text).toString('base64url');
const ids = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const orders = fc.nat({ max: 99_999_999_999_999 });
const bad = { name: 'AppError', code: 'invalid-argument', details: { reason: 'bad_input' } };

describe('a cursor', () => {
  it('comes back as the position that it was made of, in a form that fits into an address', () => {
    fc.assert(fc.property(ids, orders, (id, order) => {
      const cursor = toCursor({ order, id });
      assert.deepEqual(parseCursor(cursor), { order, id });
      assert.equal(parseCursorOf(id, cursor), order);
      assert.match(cursor, /^[A-Za-z0-9_-]{1,200}$/);
    }));
  });

  it('is refused for another list', () => {
    fc.assert(fc.property(ids, ids, orders, (id, other, order) => {
      fc.pre(id !== other);
      assert.throws(() => parseCursorOf(other, toCursor({ order, id })), bad);
    }));
  });

  it('is refused when it is forged', () => {
    const forged = ['', 's1', 'not a cursor', encode('s1'), encode(':s1'), encode('1:'), encode('-1:s1'), encode('01:s1'), encode('00:s1'), encode('1.5:s1'), encode('NaN:s1'), encode('1e3:s1'),
      encode(' 1:s1'), encode('1:s1\n'), encode('1:a/b'), encode('1:a:b'), encode(`1:${'x'.repeat(65)}`), encode(`${'9'.repeat(15)}:s1`), '1:s1', `${toCursor({ order: 1, id: 's1' })}=`];
    for (const cursor of forged) assert.throws(() => parseCursor(cursor), bad, cursor);
  });

  it('is either refused or exactly what toCursor makes, whatever the text', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.string().map(encode), fc.tuple(fc.nat(), ids).map(([order, id]) => encode(`${order}:${id}`))), (text) => {
      let position;
      try {
        position = parseCursor(text);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'invalid-argument');
        return;
      }
      assert.equal(toCursor(position), text);
    }));
  });
});
