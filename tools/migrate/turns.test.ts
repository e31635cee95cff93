import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type FastCheck from '../../functions/node_modules/fast-check/lib/fast-check.js';
import { FUNCTIONS } from '../paths.ts';
import type { Said } from './messages.ts';
import { maxTurnChars, pairTurns } from './turns.ts';

const fc = (createRequire(join(FUNCTIONS, 'package.json'))('fast-check') as { default: typeof FastCheck }).default;

const startedAt = Date.UTC(2025, 9, 1);
const said = (from: Said['from'], text: string, parts: Partial<Said> = {}): Said => ({ from, text, at: null, by: null, messageId: null, partial: false, ...parts });
const pair = (messages: Said[]) => pairTurns(messages, { accountOf: ({ by }) => by?.id ?? 'owner', startedAt });
const spoken = (messages: Said[]) => pair(messages).turns.map((turn) => [turn.said, turn.reply]);

describe('messages become turns', () => {
  it('of what a user said and the replies to it', () => {
    assert.deepEqual(pair([said('user', 'Hello', { at: startedAt + 5, by: { id: 'u2', email: null } }), said('agent', 'Hi', { at: startedAt + 9 }), said('user', 'Bye', { at: startedAt + 20 })]).turns, [
      { turnId: 'legacy-000001', by: 'u2', at: startedAt + 9, said: 'Hello', reply: 'Hi', outcome: 'complete', costDOFs: 0 },
      { turnId: 'legacy-000002', by: 'owner', at: startedAt + 20, said: 'Bye', reply: '', outcome: 'complete', costDOFs: 0 },
    ]);
  });

  it('with several replies as one', () => {
    assert.deepEqual(spoken([said('user', 'Hello'), said('agent', 'Hi'), said('agent', 'there')]), [['Hello', 'Hi\n\nthere']]);
  });

  it('in which nothing was said, for replies before anybody spoke', () => {
    assert.deepEqual(spoken([said('agent', 'Welcome'), said('agent', 'all'), said('user', 'Hello'), said('agent', 'Hi')]), [['', 'Welcome\n\nall'], ['Hello', 'Hi']]);
  });

  it('without the pieces of a reply that is there as a whole, and with them where it is not', () => {
    const pieces = [said('agent', 'It ', { partial: true }), said('agent', 'creaks', { partial: true })];
    assert.deepEqual(spoken([said('user', 'Open'), ...pieces, said('agent', 'It creaks')]), [['Open', 'It creaks']]);
    assert.deepEqual(spoken([said('user', 'Open'), ...pieces]), [['Open', 'It \n\ncreaks']]);
  });

  it('whose moments rise, whatever the messages say', () => {
    const at = (...moments: (number | null)[]) => pair(moments.map((each) => said('user', 'x', { at: each === null ? null : startedAt + each }))).turns.map((turn) => turn.at - startedAt);
    assert.deepEqual(at(null, null, 50, 50, 20, null, 100), [0, 1, 50, 51, 52, 53, 100]);
  });

  it('that messages lead to', () => {
    const { turns, turnOf } = pair([said('user', 'a', { messageId: 'm1' }), said('agent', 'b', { messageId: 'm2' }), said('user', 'c', { messageId: 'm3' })]);
    assert.deepEqual(['m1', 'm2', 'm3', 'm4'].map((id) => turnOf.get(id)?.turnId), [turns[0]!.turnId, turns[0]!.turnId, turns[1]!.turnId, undefined]);
  });

  it('cut where a document could not hold them, which is told', () => {
    const { turns: [turn], dropped } = pair([said('user', 'x'.repeat(maxTurnChars + 1)), said('agent', `${'y'.repeat(maxTurnChars - 1)}😀`)]);
    assert.deepEqual([turn!.said.length, turn!.reply.length, turn!.reply.isWellFormed()], [maxTurnChars, maxTurnChars, true]);
    assert.deepEqual(dropped, ['the last 1 characters of what was said in turn legacy-000001', 'the last 1 characters of the reply of turn legacy-000001']);
  });

  it('so that everything is there once and in order', () => {
    const message = fc.record({
      from: fc.constantFrom<Said['from']>('user', 'agent'), text: fc.string({ minLength: 1, maxLength: 5 }).filter((text) => !text.includes('\n')), partial: fc.constant(false), messageId: fc.constant(null),
      at: fc.option(fc.integer({ min: startedAt - 1_000, max: startedAt + 1_000 })), by: fc.option(fc.constantFrom({ id: 'u2', email: null }, { id: 'u3', email: null })),
    });
    fc.assert(fc.property(fc.array(message, { maxLength: 40 }), (messages) => {
      const { turns, dropped } = pair(messages);
      const texts = (from: Said['from']) => messages.filter((each) => each.from === from).map(({ text }) => text);
      const opening = messages[0]?.from === 'agent';
      assert.deepEqual(turns.map((turn) => turn.said).slice(opening ? 1 : 0), texts('user'));
      assert.ok(!opening || turns[0]!.said === '');
      assert.deepEqual(turns.flatMap(({ reply }) => (reply === '' ? [] : reply.split('\n\n'))), texts('agent'));
      assert.deepEqual(turns.slice(opening ? 1 : 0).map(({ by }) => by), messages.filter(({ from }) => from === 'user').map(({ by }) => by?.id ?? 'owner'));
      assert.ok(turns.every(({ at }, index) => at >= startedAt && (index === 0 || at > turns[index - 1]!.at)));
      assert.equal(new Set(turns.map(({ turnId }) => turnId)).size, turns.length);
      assert.deepEqual(dropped, []);
      assert.deepEqual(pair(messages), pair(structuredClone(messages)));
    }), { numRuns: 500 });
  });
});
