import { inspect } from 'node:util';
import { readFileSync } from 'node:fs';
import type { ModelEvent, ModelRequest, ToolCall } from '../../src/providers/types.ts';

/** One of the sample frames, 640 by 360 pixels. */
export function sampleFrame(index: number): Buffer {
  return readFileSync(new URL(`../../../tools/demo/frames/frame-${String(index).padStart(3, '0')}.jpg`, import.meta.url));
}

/** A request with sensible defaults: an instruction and no media. */
export function modelRequest(parts: Partial<ModelRequest> = {}): ModelRequest {
  return { model: 'some-model', systemPrompt: 'You watch a game.', instruction: 'What do you see?', maxOutputTokens: 256, signal: new AbortController().signal, ...parts };
}

/** Everything a stream of events said. */
export interface Reply {
  text: string;
  /** Number of text events. */
  pieces: number;
  calls: ToolCall[];
  done: Extract<ModelEvent, { type: 'done' }>[];
}

/** Reads a stream to its end. */
export async function collect(events: AsyncIterable<ModelEvent>): Promise<Reply> {
  const reply: Reply = { text: '', pieces: 0, calls: [], done: [] };
  for await (const event of events) {
    if (event.type === 'done') {
      reply.done.push(event);
    } else if (event.type === 'text') {
      reply.text += event.text;
      reply.pieces += 1;
    } else if (event.type === 'calls') {
      reply.calls.push(...event.calls);
    }
  }
  return reply;
}

/** A vendor's chunks as its SDK streams them. */
// eslint-disable-next-line @typescript-eslint/require-await -- these are in memory
export async function* streamOf(...chunks: unknown[]): AsyncGenerator<unknown, void> {
  yield* chunks;
}

/** All that a log or an answer could show of an error: message, stack, cause chain, hidden fields, JSON. */
export function everythingIn(error: unknown): string {
  return inspect(error, { depth: 20, showHidden: true, maxStringLength: Infinity, maxArrayLength: Infinity }) + JSON.stringify(error);
}

/** A PCM WAV of 16-bit mono samples. */
export function wav(samples: Int16Array, sampleRate = 16_000): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(36 + samples.byteLength, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([header, Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)]);
}
