import { operation } from '../runtime/operation.ts';
import { geminiApiKey, googleApiKey, openaiApiKey } from '../runtime/params.ts';
import { newId, now } from '../runtime/system.ts';
import { endSession } from '../sessions/lifecycle.ts';
import { requireContext } from './context.ts';
import { processFrameChunk, processFrameInput, processFrameOutput } from './schema.ts';
import { processTurn } from './turn.ts';

/** Id of a turn, 72 random bits: it is in every message about the turn, and six of them stand on the meter. */
const newTurnId = (): string => newId().slice(0, 12);

export const processFrame = operation({
  name: 'processFrame',
  summary: 'Sends a frame, audio or an instruction to the agent and streams its reply.',
  access: 'signed-in',
  route: { method: 'post', path: '/sessions/{sessionId}/frames' },
  input: processFrameInput,
  output: processFrameOutput,
  chunk: processFrameChunk,
  maxBodyBytes: 15_000_000,
  // The longest wait and the longest turn that can be configured, and a minute around them.
  options: { secrets: [geminiApiKey, googleApiKey, openaiApiKey], timeoutSeconds: 420, memory: '1GiB', concurrency: 20 },
  async handle(input, { caller, emit, signal, letGo }) {
    // Not with the module: what asks vendors is of no use to the other functions.
    const [context, { abilities }] = await Promise.all([requireContext(caller.uid, input.sessionId), import('./equip.ts')]);
    const deps = { now, newId: newTurnId, abilities, endSession: (id: string, reason: Parameters<typeof endSession>[1]) => endSession(id, reason, now) };
    const decoded = (): void => {
      delete input.frameData;
      delete input.audioData;
      letGo?.();
    };
    return processTurn(input, context, deps, { uid: caller.uid, emit, signal, decoded });
  },
});
