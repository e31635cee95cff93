import assert from 'node:assert/strict';
import { operations } from '../src/operations.ts';
import { access, cellsOf, forms } from './access.ts';
import { badTokens, callers, people, targets, type Caller, type Place } from './access-rules.ts';
import { restRequest } from './access-calls.ts';

const place: Place = {
  userId: 'u', agentInstanceId: 'a', sessionId: 's', memberId: 'm', inviteId: 'i', invite: 's.x', memoryId: 'm', file: 'turn.jpg', grantId: 'g', holdId: 'h', key: 'k',
};
const named = ({ name, form }: (typeof forms)[number]): string => `${name} ${form.as ?? ''}`.trim();

describe('the table of who may do what', () => {
  it('has a row for every operation and no other', () => {
    assert.deepEqual(Object.keys(access).toSorted(), Object.keys(operations).toSorted());
    for (const [name, row] of Object.entries(access)) assert.ok(row.length > 0, name);
  });

  it('has every caller in every cell, or says why there is none', () => {
    for (const called of forms) {
      const cells = cellsOf(called);
      for (const target of targets) {
        const rule = called.form.cells[target];
        const found = cells.filter((cell) => cell.target === target).map(({ caller }) => caller);
        assert.deepEqual(found, typeof rule === 'string' ? [] : callers, `${named(called)}, ${target}`);
        if (typeof rule === 'string') assert.match(rule, /^[a-z].* \w+$/);
      }
    }
  });

  it('calls with input that the operation takes, by a path that its route has', () => {
    for (const called of forms) {
      const input = called.form.input(place);
      const { success, error } = operations[called.name].input.safeParse(input);
      assert.ok(success, `${named(called)}: ${error?.message}`);
      assert.doesNotMatch(restRequest(called.name, input).path, /[{}]|undefined/, named(called));
    }
  });

  it('tells nobody but an administrator what is foreign from what is missing', () => {
    for (const called of forms) {
      const { foreign, missing } = called.form.cells;
      assert.equal(typeof foreign, typeof missing, named(called));
      if (typeof foreign === 'string' || typeof missing === 'string') continue;
      for (const person of people) if (person !== 'admin') assert.equal(foreign[person], missing[person], `${named(called)}, ${person}`);
    }
  });

  it('lets somebody without a good token do nothing', () => {
    const refused = (caller: Caller): boolean => caller === 'anonymous' || (badTokens as readonly Caller[]).includes(caller);
    for (const called of forms) {
      const outcomes = cellsOf(called).filter(({ caller }) => refused(caller)).map(({ caller, expected }) => (called.name === 'getServerStatus' && caller === 'anonymous' ? 'signed_out' : expected));
      assert.deepEqual(new Set(outcomes), new Set(['signed_out']), named(called));
    }
  });

  it('lets administrators alone do what is for them', () => {
    for (const called of forms) {
      if (operations[called.name].access !== 'admin') continue;
      for (const { caller, expected, target } of cellsOf(called)) if (caller !== 'admin') assert.ok(['not_admin', 'signed_out'].includes(expected), `${named(called)}, ${caller}, ${target}`);
    }
  });
});
