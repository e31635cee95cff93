import assert from 'node:assert/strict';
import fc from 'fast-check';
import { rates } from '../../test/money.ts';
import { wav } from '../../test/vendors/collect.ts';
import { estimatePrice, leastOutputTokens, leastPrice } from '../credits/prices.ts';
import { serverConfigSchema, type SessionConfig } from '../sessions/schema.ts';
import { systemPrompt } from '../sessions/unwrap.ts';
import { maxToolRounds, mostCharacters } from './bounds.ts';
import { prepareTurn } from './prepare.ts';
import type { ProcessFrameInput } from './schema.ts';

const { limits, endpoints } = serverConfigSchema.omit({ modelRouting: true }).parse({
  limits: { maxFrameBytes: 1_000, maxAudioBytes: 40_000, maxInstructionChars: 50 },
  endpoints: { apiBaseUrl: '', liveDatabaseUrl: '' },
});
const config: SessionConfig = {
  productName: 'Scout', provider: 'gemini', voiceId: 'v', rank: 'rookie', highSpeedVision: false, highSpeedMode: null, toolkit: [], voiceEnabled: false,
  interactiveVoiceMode: false, commentaryMode: false, hasMemory: false, skipUnchangedBelow: null, keptMedia: [], specialization: null, endpoints, limits, modelRouting: { vision: 'sees', chat: 'talks' },
  dofRates: rates({ frame: { standard: 5, burst: 9, continuous: 14 }, instruction: 2, audioSecond: 3, per1kTokens: { text: 1, image: 1, audio: 1, output: 100 } }),
};

/** The head of a PNG of this size; all that is looked at before a vendor gets it. */
function png(width: number, height: number, bytes = 64): Buffer {
  const file = Buffer.alloc(bytes);
  file.write('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1');
  file.writeUInt32BE(width, 16);
  file.writeUInt32BE(height, 20);
  return file;
}
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const picture = base64(png(640, 360));
const second = base64(wav(new Int16Array(16_000)));
const input = (parts: Partial<ProcessFrameInput>): ProcessFrameInput => ({ sessionId: 's1', requestId: 'r1', ...parts });
const prepare = (parts: Partial<ProcessFrameInput>, changes: Partial<SessionConfig> = {}) => prepareTurn(input(parts), { ...config, ...changes });

const refusal = (reason: 'bad_media' | 'bad_input') => ({ name: 'AppError', code: 'invalid-argument', details: { reason } });
const refuses = (parts: Partial<ProcessFrameInput>, reason: 'bad_media' | 'bad_input' = 'bad_media') => assert.throws(() => prepare(parts), refusal(reason));

describe('prepare: what a turn sends', () => {
  it('passes on a frame with its own type to the model that sees', () => {
    const { model, priced } = prepare({ frameData: `data:image/jpeg;base64,${picture}` });
    assert.deepEqual(model, { model: 'sees', systemPrompt: systemPrompt(config), maxOutputTokens: 512, frame: { mime: 'image/png', bytes: png(640, 360) } });
    assert.deepEqual(priced, { frame: 'standard', instruction: false, audioSeconds: 0, textCharacters: systemPrompt(config).length, modelCalls: 1, spoken: false });
  });

  it('passes on audio with its length, and an instruction, to the model that talks', () => {
    const { model, priced } = prepare({ audioData: second, instruction: 'Where to?' });
    assert.equal(model.model, 'talks');
    assert.deepEqual([model.audio?.mime, model.audio?.seconds, model.instruction, model.frame], ['audio/wav', 1, 'Where to?', undefined]);
    assert.deepEqual(priced, { frame: null, instruction: true, audioSeconds: 1, textCharacters: mostCharacters({ prompt: systemPrompt(config), instruction: 'Where to?', conversation: true, notes: false, tools: [], maxOutputTokens: 512 }), modelCalls: 1, spoken: false });
  });

  it('prices a frame by the vision mode of the product', () => {
    for (const [highSpeedMode, price] of [[null, 5], ['burst', 9], ['continuous', 14]] as const) assert.equal(prepare({ frameData: picture }, { highSpeedMode }).inputPrice, price);
    assert.equal(prepare({ instruction: 'go' }, { highSpeedMode: 'burst' }).inputPrice, 2);
  });

  it('looks as closely as the client asks and the product offers', () => {
    const detailed = { dofRates: rates({ frame: { standard: 5, burst: 9, detail: 30 } }) };
    const priceOf = (visionMode: ProcessFrameInput['visionMode'], changes: Partial<SessionConfig>) => prepare({ frameData: picture, visionMode }, changes).inputPrice;
    assert.equal(priceOf('detail', detailed), 30);
    assert.equal(priceOf('standard', { ...detailed, highSpeedMode: 'burst' }), 5);
    assert.equal(priceOf('highSpeed', { ...detailed, highSpeedMode: 'burst' }), 9);
  });

  it('is spoken as the modes of the agent say, unless the client does not want it', () => {
    const spoken = (parts: Partial<ProcessFrameInput>, interactiveVoiceMode: boolean, commentaryMode: boolean) => prepare(parts, { interactiveVoiceMode, commentaryMode }).priced.spoken;
    for (const words of [{ instruction: 'go' }, { audioData: second }, { instruction: 'go', frameData: picture }]) {
      assert.deepEqual([spoken(words, true, false), spoken(words, false, true), spoken({ ...words, speak: false }, true, true)], [true, false, false]);
    }
    const frame = { frameData: picture };
    assert.deepEqual([spoken(frame, true, false), spoken(frame, false, true), spoken({ ...frame, speak: false }, true, true)], [false, true, false]);
  });

  it('offers the toolkit to what the player says, and holds for every call that it may take', () => {
    const toolkit = ['lookUpGuide', 'setObjective'];
    const turn = prepare({ instruction: 'go' }, { toolkit });
    assert.deepEqual(turn.tools.map(({ name }) => name).toSorted(), toolkit);
    assert.equal(turn.priced.modelCalls, 1 + maxToolRounds);
    assert.ok(turn.held > turn.bare.held && turn.bare.priced.modelCalls === 1);
    assert.deepEqual([prepare({ frameData: picture }, { toolkit }).tools, prepare({ frameData: picture }, { toolkit }).priced.modelCalls], [[], 1]);
  });

  it('may be skipped only as a frame alone of a product that says so', () => {
    const skipping = { skipUnchangedBelow: 0.02, dofRates: rates({ frame: { standard: 5, skipped: 1 } }) };
    assert.equal(prepare({ frameData: picture }, skipping).skippable, true);
    for (const [parts, changes] of [[{ frameData: picture, instruction: 'go' }, skipping], [{ frameData: picture, audioData: second }, skipping], [{ instruction: 'go' }, skipping],
      [{ frameData: picture }, { ...skipping, skipUnchangedBelow: null }], [{ frameData: picture }, { skipUnchangedBelow: 0.02 }]] as const) assert.equal(prepare(parts, changes).skippable, false);
  });

  it('says what it sends as a receipt shows it', () => {
    assert.deepEqual(prepare({ frameData: picture, instruction: 'go' }, { highSpeedMode: 'burst' }).about, { frame: 'burst', instruction: true, audioSeconds: 0 });
    assert.deepEqual(prepare({ audioData: second }).about, { frame: null, instruction: false, audioSeconds: 1 });
  });

  it('names what it can cost at most, and the least with which it may begin', () => {
    const turn = prepare({ frameData: picture, instruction: 'go' });
    assert.deepEqual([turn.held, turn.bare.least, turn.bare.leastOutputTokens], [estimatePrice(config.dofRates, turn.priced), leastPrice(config.dofRates, turn.bare.priced), leastOutputTokens]);
    assert.ok(turn.bare.least < turn.held);
  });

  it('holds no less than the price of the input', () => {
    const parts = fc.record({ frameData: fc.option(fc.constant(picture), { nil: undefined }), audioData: fc.option(fc.constant(second), { nil: undefined }), instruction: fc.string({ minLength: 1, maxLength: 50 }) });
    const rate = fc.nat(100);
    const anyRates = fc.record({ standard: rate, burst: rate, instruction: rate, audioSecond: rate, text: rate, output: rate })
      .map(({ standard, burst, instruction, audioSecond, text, output }) => rates({ frame: { standard, burst }, instruction, audioSecond, per1kTokens: { text, output } }));
    const anyMode = fc.constantFrom(null, 'burst' as const, 'continuous' as const);
    fc.assert(fc.property(parts, anyRates, anyMode, ({ frameData, audioData, instruction }, dofRates, highSpeedMode) => {
      const turn = prepare({ instruction, ...(frameData ? { frameData } : {}), ...(audioData ? { audioData } : {}) }, { dofRates, highSpeedMode });
      assert.ok(turn.inputPrice >= 1 && turn.bare.least >= turn.inputPrice && turn.held >= turn.bare.least);
    }));
  });
});

describe('prepare: what a turn may not send', () => {
  it('refuses a frame that is no picture', () => refuses({ frameData: base64(Buffer.from('GIF89a, or what else')) }));
  it('refuses a frame that is not base64', () => refuses({ frameData: '%%%' }));
  it('refuses a frame with a broken head', () => refuses({ frameData: base64(png(640, 360).subarray(0, 20)) }));
  it('refuses a small file that would unfold into gigabytes', () => refuses({ frameData: base64(png(60_000, 60_000)) }));

  it('refuses a frame above the limit by its length, and takes one at it', () => {
    refuses({ frameData: base64(png(640, 360, 1_001)) });
    assert.equal(prepare({ frameData: base64(png(640, 360, 1_000)) }).model.frame?.bytes.length, 1_000);
  });

  it('refuses audio that is none, is too large or has no sound', () => {
    refuses({ audioData: picture });
    refuses({ audioData: base64(wav(new Int16Array(20_000))) });
    refuses({ audioData: base64(wav(new Int16Array(0))) });
  });

  it('refuses a longer instruction than configured, and takes one at the limit', () => {
    refuses({ instruction: 'x'.repeat(51) }, 'bad_input');
    assert.equal(prepare({ instruction: 'x'.repeat(50) }).model.instruction?.length, 50);
  });

  it('refuses a vision mode that the agent does not have', () => {
    refuses({ frameData: picture, visionMode: 'highSpeed' }, 'bad_input');
    refuses({ frameData: picture, visionMode: 'detail' }, 'bad_input');
  });

  it('mends half of a character rather than sending it', () => {
    assert.equal(prepare({ instruction: 'go \uD83D' }).model.instruction, 'go \uFFFD');
  });

  it('refuses the whole turn for one bad part', () => refuses({ instruction: 'look', frameData: picture, audioData: 'AAAA' }));
});

describe('prepare: the fingerprint of a body', () => {
  it('is the same for the same payload, whatever the ids', () => {
    const first = prepareTurn(input({ frameData: picture, instruction: 'go' }), config);
    assert.equal(prepareTurn({ sessionId: 's2', requestId: 'r2', generation: 4, frameData: picture, instruction: 'go' }, config).hash, first.hash);
  });

  it('differs by what is sent and where', () => {
    const bodies: Partial<ProcessFrameInput>[] = [
      { frameData: picture }, { audioData: second }, { instruction: 'go' }, { instruction: '-' }, { frameData: picture, instruction: 'go' },
      { audioData: second, instruction: 'go' }, { frameData: picture, audioData: second }, { frameData: picture, audioData: second, instruction: 'go' },
      { frameData: picture, visionMode: 'detail' }, { instruction: 'go', speak: false }, { instruction: 'go', speak: true },
    ];
    assert.equal(new Set(bodies.map((body) => prepare(body, { dofRates: rates({ frame: { detail: 1 } }) }).hash)).size, bodies.length);
  });

  it('differs between any two instructions', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 });
    fc.assert(fc.property(text, text, (one, other) => {
      assert.equal(prepare({ instruction: one }).hash === prepare({ instruction: other }).hash, one === other);
    }));
  });
});
