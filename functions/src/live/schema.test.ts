import assert from 'node:assert/strict';
import { processFrameInput, processFrameOutput } from './schema.ts';

const ids = { sessionId: 's1', requestId: 'r-1_A' };
const accepts = (value: object): boolean => processFrameInput.safeParse({ ...ids, ...value }).success;

describe('processFrame input', () => {
  it('takes a frame, audio, an instruction, or all of them', () => {
    for (const part of [{ frameData: 'AAAA' }, { audioData: 'AAAA' }, { instruction: 'go' }, { frameData: 'AAAA', audioData: 'AAAA', instruction: 'go', generation: 2 }]) assert.ok(accepts(part));
  });

  it('needs at least one of them', () => {
    const parsed = processFrameInput.safeParse(ids);
    assert.equal(parsed.error?.issues[0]?.message, 'send at least one of frameData, audioData and instruction');
  });

  it('refuses empty parts, and an instruction of blanks', () => {
    for (const part of [{ frameData: '' }, { audioData: '' }, { instruction: '' }, { instruction: ' \n ' }]) assert.ok(!accepts(part));
    assert.equal(processFrameInput.parse({ ...ids, instruction: ' go ' }).instruction, 'go');
  });

  it('refuses parts that no configuration would allow', () => {
    assert.ok(!accepts({ frameData: 'A'.repeat(12_000_001) }));
    assert.ok(!accepts({ audioData: 'A'.repeat(12_000_001) }));
    assert.ok(!accepts({ instruction: 'x'.repeat(20_001) }));
  });

  it('refuses unknown keys', () => {
    for (const extra of [{ held: 0 }, { cost: 0 }, { userId: 'u2' }]) assert.ok(!accepts({ instruction: 'go', ...extra }));
  });

  it('refuses ids that could point elsewhere', () => {
    for (const id of ['', 'a/b', '../x', 'a.b', 'a b', 'a#b', 'a$b', 'a[b', 'é', 'a\n', 'x'.repeat(65), 7, null]) {
      assert.ok(!accepts({ instruction: 'go', sessionId: id }), `sessionId ${id}`);
      assert.ok(!accepts({ instruction: 'go', requestId: id }), `requestId ${id}`);
    }
    assert.ok(accepts({ instruction: 'go', requestId: 'x'.repeat(64) }));
  });

  it('refuses a generation that is no count', () => {
    for (const generation of [0, -1, 1.5, NaN, Infinity, '1']) assert.ok(!accepts({ instruction: 'go', generation }));
  });
});

describe('processFrame output', () => {
  const output = { turnId: 't1', requestId: 'r1', reply: '', outcome: 'complete', cutBecause: null, provider: 'offline', model: 'm', speech: null, keptMedia: [], degraded: [], costDOFs: 1, estimated: false, consumedDOFs: 1, remainingDOFs: 0, replayed: false, waitedMs: 0 };

  it('names nothing but the contract', () => assert.deepEqual(processFrameOutput.parse({ ...output, scene: 'x', systemPrompt: 'y' }), output));

  it('never says a price that is no number of DOFs', () => {
    for (const costDOFs of [-1, 0.5, NaN]) assert.ok(!processFrameOutput.safeParse({ ...output, costDOFs }).success);
  });
});
