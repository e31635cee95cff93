import assert from 'node:assert/strict';
import fc from 'fast-check';
import { nothingRead, secondsAt, secondsOf } from './length.ts';

describe('length: what a sound is priced by', () => {
  it('is what was counted, however many bytes that took', () => assert.equal(secondsOf({ counted: 6.02, claimed: 0, unread: 0 }), 6.02));

  it('is more by what could not be read, at 32 kbit/s, or by what a header claims of that', () => {
    assert.equal(secondsOf({ counted: 6, claimed: 0, unread: 8000 }), 8);
    assert.equal(secondsOf({ counted: 6, claimed: 5, unread: 8000 }), 11);
  });

  it('is the greater of header and bytes where only a header speaks', () => {
    assert.equal(secondsOf({ counted: 0, claimed: 6.5, unread: 8000 }), 6.5);
    assert.equal(secondsOf({ counted: 0, claimed: 0.5, unread: 8001 }), 3);
  });

  it('is the bytes where nothing speaks, and at least a second', () => {
    assert.equal(secondsOf(nothingRead(Buffer.alloc(8001))), 3);
    assert.equal(secondsOf(nothingRead(Buffer.alloc(1))), 1);
  });

  it('is nothing only where nothing is left to hold a sound', () => {
    assert.equal(secondsOf({ counted: 0, claimed: 9, unread: 0 }), 0);
    assert.equal(secondsOf({ counted: 1e-9, claimed: 0, unread: 0 }), 0.001);
  });

  it('is whole where the sum of the packets is', () => {
    for (const packets of [50, 150, 300, 3000]) assert.equal(secondsOf({ counted: new Array<number>(packets).fill(0.02).reduce((sum, next) => sum + next, 0), claimed: 0, unread: 0 }), packets / 50);
  });

  it('is finite, however long something claims to be', () => {
    const amount = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
    fc.assert(fc.property(amount, amount, fc.nat(), (counted, claimed, unread) => {
      const seconds = secondsOf({ counted, claimed, unread });
      assert.ok(seconds >= 0 && seconds <= 1_000_000 && (seconds > 0) === (counted > 0 || unread > 0));
    }));
  });

  it('does not believe a rate that nothing records with', () => {
    assert.equal(secondsAt(48_000, 48_000), 1);
    assert.equal(secondsAt(384_000, 4_000_000_000), 1);
    assert.equal(secondsAt(100, 0), 0);
  });
});
