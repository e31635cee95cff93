import type { Ending } from '../credits/charge.ts';
import type { Degradation, Speech } from '../providers/types.ts';
import { toAppError } from '../runtime/errors.ts';
import type { Abilities, TurnAbout } from './abilities.ts';
import { isWhole } from './endings.ts';
import type { ModelRun } from './model.ts';
import type { PreparedTurn } from './prepare.ts';

/** A reply's sound, and what it had to do without or in another way. */
export interface Spoken {
  speech: Speech | null;
  degradations: Degradation[];
}

/** A reply that is about to be spoken. */
interface Reply {
  answer: ModelRun;
  ending: Ending;
  /** What is held for the turn pays for speech. */
  whole: boolean;
}

/**
 * Speaks a reply that should be heard, if the model has ended it and said what it used: otherwise only the input can be
 * charged. A voice that fails costs the turn its sound and nothing else. Never throws.
 */
export async function speakReply({ priced }: PreparedTurn, { answer, ending, whole }: Reply, about: TurnAbout, abilities: Abilities): Promise<Spoken> {
  if (!priced.spoken || !isWhole(answer) || answer.reply.trim() === '') return { speech: null, degradations: [] };
  if (!whole) return textOnly('dofs_exhausted');
  if (ending === 'late') return textOnly('provider_timeout');
  if (ending !== 'answered' && ending !== 'partlyReported') return textOnly('provider_unavailable');
  try {
    const { speech, degradations } = await abilities.speak(about, answer.reply);
    // The vendor's count is bounded: what is held covers a reply's own characters.
    return { speech: { ...speech, characters: Math.min(speech.characters, answer.reply.length) }, degradations };
  } catch (error) {
    return textOnly(toAppError(error).details?.reason ?? 'internal');
  }
}

function textOnly(because: Degradation['because']): Spoken {
  return { speech: null, degradations: [{ what: 'speech', because }] };
}
