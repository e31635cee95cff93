import { googleError, openaiError } from './answers.ts';
import { wav } from './collect.ts';
import { jsonScript, mostOversizedBytes, type Route, type Script, type VendorMode, type VendorRequest } from './script.ts';

/** Samples per second of Gemini's sound. */
const rate = 24_000;
/** A second of a rising tone. */
const samples = Int16Array.from({ length: rate }, (_, index) => Math.round(8_000 * Math.sin(index * index * 1e-5)));

/** The samples of the sound that Gemini answers with. */
export const spokenSamples = Buffer.from(samples.buffer);

const frameBytes = 417;

/** An MP3 of so many frames of 1152 samples, 44.1 kHz, 128 kbit/s, without sound. */
export function mp3(frames: number): Buffer {
  const frame = Buffer.alloc(frameBytes);
  frame.writeUInt32BE(0xfffb9000);
  return Buffer.concat(Array.from({ length: frames }, () => frame));
}

/** Length of one frame of `mp3`. */
export const mp3FrameSeconds = 1152 / 44_100;

/** The sound that OpenAI and Cloud Text-to-Speech answer with. */
export const spokenMp3 = mp3(40);

/** Models that speak: Gemini's generateContent, OpenAI's audio/speech. */
export const speechRoutes: Route[] = [
  { method: 'POST', path: /^\/v1(beta|beta1)\/(.+\/)?models\/[^/]+-tts[^/]*:generateContent$/, script: geminiScript },
  { method: 'POST', path: /^\/v1\/audio\/speech$/, script: openaiScript },
];

/**
 * In the mode `refusal` there is no sound, with `wrong-counts` it is of another type, with `tools` the vendor offers to go on
 * in another call. From 3.8 on the models answer with a WAV.
 */
function geminiScript(mode: VendorMode, leak: string, { path }: VendorRequest): Script {
  const whole = path.includes('gemini-3.8');
  const sound = whole ? { mimeType: 'audio/wav', data: wav(samples, rate) } : { mimeType: `audio/L16;codec=pcm;rate=${rate}`, data: spokenSamples };
  const inlineData = mode === 'wrong-counts' ? { mimeType: 'text/html', data: Buffer.from('<html>') } : sound;
  const parts = mode === 'refusal' ? [] : [{ inlineData: { ...inlineData, data: inlineData.data.toString('base64') } }];
  const ending = mode === 'tools' ? { finishReason: 'CONTINUATION', continuationToken: 'more' } : { finishReason: mode === 'refusal' ? 'SAFETY' : 'STOP' };
  return googleError(mode, leak) ?? jsonScript(mode, { candidates: [{ content: { role: 'model', parts }, ...ending }], usageMetadata: { promptTokenCount: 5 } });
}

function openaiScript(mode: VendorMode, leak: string): Script {
  const error = openaiError(mode, leak);
  if (error) return error;
  const answer = { kind: 'bytes', status: 200, type: 'audio/mpeg', bytes: spokenMp3 } as const;
  switch (mode) {
    case 'slow':
      return { kind: 'silence' };
    case 'stalled':
      return { ...answer, then: 'hang' };
    case 'cut':
      return { ...answer, then: 'cut' };
    case 'empty':
      return { ...answer, bytes: Buffer.alloc(0) };
    case 'garbage':
      return { ...answer, bytes: Buffer.from('<html>no sound</html>') };
    case 'wrong-counts':
      return { ...answer, bytes: Buffer.from('OggS with another sound') };
    case 'oversized':
      return { kind: 'endless', type: 'audio/mpeg', first: 'ID3', piece: 'la '.repeat(20_000), mostBytes: mostOversizedBytes };
    default:
      return answer;
  }
}
