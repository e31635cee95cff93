import { wavLoudness } from '../media/media.ts';
import { readScene, type Scene } from '../media/scene.ts';
import type { ModelRequest, ToolRound } from '../types.ts';

const percent = (share: number) => `${Math.round(share * 100)} %`;

/**
 * What the offline provider says to a request: its label, and what it can measure, count or quote.
 *
 * @throws AppError invalid-argument (bad_media) for a frame that cannot be decoded.
 */
export async function compose({ history = [], instruction, frame, audio, rounds = [], sceneBefore }: ModelRequest): Promise<string> {
  const scene = frame && (await readScene(frame.bytes, { before: sceneBefore }));
  const sentences = ['[offline] No model is connected, so I can only measure.'];
  if (history.length > 0) sentences.push(`I know ${history.length} earlier ${history.length === 1 ? 'turn' : 'turns'} of this conversation.`);
  const asks = instruction !== undefined && /\b(what|describe|see|look|show)/i.test(instruction);
  if (rounds.length > 0) sentences.push(...quoteRounds(rounds));
  else if (instruction && !asks) sentences.push(`You said: "${shorten(instruction, 80)}". I note it, but cannot act on it.`);
  if (scene) sentences.push(...describeScene(scene));
  else if (asks && rounds.length === 0) sentences.push('You ask what I see, but no frame came with it.');
  if (audio) sentences.push(describeSound(audio));
  return sentences.join(' ');
}

/** Function results that are quoted at most. */
const mostQuotes = 8;

function quoteRounds(rounds: ToolRound[]): string[] {
  const answered = rounds.flatMap(({ calls, results }) => calls.map(({ name }, index) => ({ name, result: results[index] ?? null })));
  return answered.slice(0, mostQuotes).map(({ name, result }) => `${shorten(name, 40)} answered ${shorten(JSON.stringify(result), 300)}.`);
}

function describeScene({ size, brightness, colours, contrast, detail, motion }: Scene): string[] {
  const light = brightness < 0.25 ? 'dark' : brightness < 0.6 ? 'medium bright' : 'bright';
  const named = colours.map(({ name, share }) => `${name} ${percent(share)}`).join(', ');
  return [
    `I see a ${light} picture of ${size.width} by ${size.height} pixels, brightness ${percent(brightness)}.`,
    named ? `Its main colours are ${named}.` : 'No colour stands out.',
    `Contrast ${percent(contrast)}, fine detail ${percent(detail)}.`,
    motion === null ? 'It is the first frame, so there is no motion to report.'
      : motion.region === null ? 'Nothing moved since the frame before.'
        : `Since the frame before ${percent(motion.amount)} of it moved, mostly at the ${motion.region}.`,
  ];
}

function describeSound({ bytes, seconds }: NonNullable<ModelRequest['audio']>): string {
  const loudness = wavLoudness(bytes);
  const level = loudness === null ? 'its loudness is not readable without a decoder' : `loudness ${Math.round(loudness)} dBFS`;
  return `I hear ${Math.round(seconds * 10) / 10} seconds of sound, ${level}.`;
}

/** The beginning of a text on one line, of `most` characters. */
function shorten(text: string, most: number): string {
  const characters = [...text.replace(/\s+/g, ' ').trim()];
  return characters.length > most ? `${characters.slice(0, most).join('')}…` : characters.join('');
}
