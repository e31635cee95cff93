import assert from 'node:assert/strict';
import fc from 'fast-check';
import { dofsSchema, idSchema } from './schema.ts';
import { newId } from './system.ts';

describe('ids', () => {
  it('are accepted as they are issued', () => {
    for (let i = 0; i < 100; i++) assert.ok(idSchema.safeParse(newId()).success);
  });

  it('are one path segment, for Firestore and the Realtime Database alike', () => {
    fc.assert(fc.property(fc.string({ maxLength: 70 }), (text) => {
      if (idSchema.safeParse(text).success) assert.doesNotMatch(text, /[/.#$[\]\s]|^$/);
    }));
    assert.ok(!idSchema.safeParse('a\n').success);
    assert.ok(!idSchema.safeParse('__reserved__').success, 'Firestore keeps these for itself');
    assert.ok(!idSchema.safeParse('hasOwnProperty').success, 'the Realtime Database SDK would lose its method');
  });
});

describe('DOFs', () => {
  it('are whole and never negative', () => {
    for (const dofs of [0, 1, 1_000_000]) assert.ok(dofsSchema.safeParse(dofs).success);
    for (const dofs of [-1, 0.5, NaN, Infinity, '1', null, 1e300]) assert.ok(!dofsSchema.safeParse(dofs).success);
  });
});
