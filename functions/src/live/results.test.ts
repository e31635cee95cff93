import assert from 'node:assert/strict';
import { noUsage } from '../providers/types.ts';
import type { Answer } from './ask.ts';
import { answerRepeat, closedRecord, resultOf, toExchange } from './results.ts';
import type { PreparedTurn } from './prepare.ts';
import { processFrameOutput, type SessionContext } from './schema.ts';

const context = { config: { provider: 'gemini' } } as SessionContext;
const prepared = { hash: 'h', about: { frame: null, instruction: true, audioSeconds: 0 }, conversation: true, model: { instruction: 'Where to?' } } as PreparedTurn;
const speech = { mime: 'audio/mpeg' as const, bytes: Buffer.from('sound'), seconds: 1.234, characters: 5 };
const answer: Answer = {
  reply: 'Left.', outcome: 'complete', usage: noUsage, degradations: [{ what: 'model', from: 'gemini/a', to: 'openai/b', because: 'provider_busy' }], provider: 'openai', model: 'b', speech, ending: 'answered',
  cutBecause: null, priced: { cost: 7, estimated: false },
};
const closing = { turnId: 't1', prepared, consumed: 17, remainingDOFs: 83, now: 1_000 };

describe('the record of a turn', () => {
  it('answers what the turn answered, but for the sound and what was kept of it', () => {
    const record = closedRecord(answer, closing);
    const first = resultOf('r1', record, context, { speech, keptMedia: [{ type: 'audio', file: 't1.mp3' }], replayed: false, waitedMs: 2_500 });
    assert.deepEqual(first, {
      turnId: 't1', requestId: 'r1', reply: 'Left.', outcome: 'complete', cutBecause: null, provider: 'openai', model: 'b', costDOFs: 7, estimated: false, consumedDOFs: 17, remainingDOFs: 83, replayed: false, waitedMs: 2_500,
      speech: { mimeType: 'audio/mpeg', seconds: 1.23, characters: 5, audioData: Buffer.from('sound').toString('base64') }, keptMedia: [{ type: 'audio', file: 't1.mp3' }], degraded: answer.degradations,
    });
    assert.deepEqual(answerRepeat('r1', { kind: 'replay', record }, context), { ...first, speech: { ...first.speech, audioData: null }, keptMedia: [], replayed: true, waitedMs: 0 });
    assert.deepEqual(processFrameOutput.parse(first), first);
  });

  it('explains its price: what the model used, and what was spoken', () => {
    assert.deepEqual(JSON.parse(closedRecord(answer, closing).usage!), { ...noUsage, spokenCharacters: 5 });
    assert.deepEqual(JSON.parse(closedRecord({ ...answer, speech: null }, closing).usage!), noUsage);
  });

  it('holds no sound and nothing undefined, which the database would refuse', () => {
    for (const each of [answer, { ...answer, speech: null, degradations: [], provider: null, cutBecause: 'deadline' as const }]) {
      const record = closedRecord(each, closing);
      assert.ok(Object.values(record).every((value) => ['string', 'number', 'boolean'].includes(typeof value)));
      assert.ok(!JSON.stringify(record).includes(speech.bytes.toString('base64')));
    }
  });

  it('has all that was said, whatever became of the reply; a frame alone says nothing', () => {
    const long = { ...prepared, model: { ...prepared.model, instruction: 'x'.repeat(4_000) } };
    for (const outcome of ['complete', 'cut', 'refused'] as const) {
      const { said, saidAt, reply } = closedRecord({ ...answer, outcome, reply: 'y'.repeat(900) }, { ...closing, prepared: long });
      assert.deepEqual([said, saidAt, reply], ['x'.repeat(4_000), 1_000, 'y'.repeat(900)]);
    }
    const frame = closedRecord(answer, { ...closing, prepared: { ...prepared, conversation: false } });
    assert.deepEqual([frame.said, frame.saidAt], [undefined, undefined]);
  });

  it('tells later turns what was said, shortened; a frame alone says nothing', () => {
    const long = { ...prepared, model: { ...prepared.model, instruction: 'x'.repeat(900) } };
    assert.deepEqual(toExchange(closedRecord({ ...answer, reply: 'y'.repeat(900) }, { ...closing, prepared: long })), [{ instruction: 'x'.repeat(400), reply: 'y'.repeat(400) }]);
    assert.deepEqual(toExchange(closedRecord(answer, { ...closing, prepared: { ...prepared, model: {} } as PreparedTurn })), [{ instruction: '[sound]', reply: 'Left.' }]);
    assert.deepEqual(toExchange(closedRecord(answer, { ...closing, prepared: { ...prepared, conversation: false } })), []);
    assert.deepEqual(toExchange(closedRecord({ ...answer, reply: '' }, closing)), []);
    for (const outcome of ['cut', 'refused'] as const) assert.deepEqual(toExchange(closedRecord({ ...answer, outcome }, closing)), []);
  });

  it('never holds half of a character, wherever a text was cut', () => {
    for (let length = 390; length < 402; length++) {
      const text = `${'a'.repeat(length)}🔥🔥`;
      const record = closedRecord({ ...answer, reply: text.slice(0, -1) }, { ...closing, prepared: { ...prepared, model: { instruction: text } } as PreparedTurn });
      const [exchange] = toExchange(record);
      assert.ok([record.reply, record.said, exchange?.instruction, exchange?.reply].every((each) => each!.isWellFormed()), String(length));
    }
  });

  it('of another body is a conflict, of a running one a reason to wait', () => {
    assert.throws(() => answerRepeat('r1', { kind: 'conflict' }, context), { code: 'already-exists', details: { reason: 'request_conflict' } });
    assert.throws(() => answerRepeat('r1', { kind: 'running', retryAfterMs: 9_000 }, context), { code: 'aborted', details: { reason: 'request_in_progress', retryAfterMs: 1_000 } });
  });
});
