import { operations } from '../../functions/src/operations.ts';
import type { ModelRequest } from '../../functions/src/providers/types.ts';
import { loadProvider } from '../../functions/src/providers/registry.ts';
import { providerSettings } from '../../functions/src/providers/settings.ts';
import { useDatabases } from '../../functions/src/runtime/firebase.ts';
import { runOperation, type Operation } from '../../functions/src/runtime/operation.ts';
import { maxOutputTokens } from '../../functions/src/credits/prices.ts';
import type { SessionConfig } from '../../functions/src/sessions/schema.ts';
import { systemPrompt } from '../../functions/src/sessions/unwrap.ts';
import { createMemoryDatabase } from '../../functions/test/memory/database.ts';
import { createMemoryFirestore } from '../../functions/test/memory/firestore.ts';
import { collect } from '../../functions/test/vendors/collect.ts';
import { interleave, timed, type Plan, type Rounds } from './method.ts';
import { frames } from './world/calls.ts';
import { catalogue, playerDocuments, productId } from './world/project.ts';

// A process of its own, in which processFrame runs without HTTP: once on databases in memory, once on the emulators.

/** What the process is told. */
export interface FrameProcessInput {
  plan: Plan;
  /** Databases in memory, or those of the environment, where this player is known. */
  memory: boolean;
  uid: string;
  agentInstanceId: string;
}

/** What it answers: ms of each side. */
export type FrameProcessOutput = Record<'directInstruction' | 'turnInstruction' | 'directFrame' | 'turnFrame', Rounds>;

/** What a player says in every turn of these benchmarks. */
export const instruction = 'What should I do next?';

async function useMemory({ uid, agentInstanceId }: FrameProcessInput): Promise<void> {
  const firestore = createMemoryFirestore();
  useDatabases({ firestore, live: createMemoryDatabase(), get pubsub(): never { throw new Error('nothing is published here'); } });
  const { config, product } = catalogue();
  const batch = firestore.batch();
  const documents = [{ path: 'config/server', data: config }, { path: `products/${productId}`, data: product }, ...playerDocuments({ uid, agentInstanceId })];
  for (const { path, data } of documents) batch.create(firestore.doc(path), data);
  await batch.commit();
}

async function run(input: FrameProcessInput): Promise<FrameProcessOutput> {
  if (input.memory) await useMemory(input);
  const caller = { uid: input.uid, email: null, emailVerified: false, admin: false };
  const call = (operation: Operation, data: object): Promise<unknown> => runOperation(operation, data, caller, { emit: () => undefined, signal: new AbortController().signal });
  const { sessionId, config } = await call(operations.startSession, { agentInstanceId: input.agentInstanceId }) as { sessionId: string; config: SessionConfig };
  const { name, settings } = providerSettings('openai');
  const provider = await loadProvider(name, settings);
  const direct = (parts: Partial<ModelRequest>): Promise<unknown> => collect(provider.generate({
    model: config.modelRouting.chat, systemPrompt: systemPrompt(config), maxOutputTokens, stream: false, signal: new AbortController().signal, ...parts,
  }));
  const turn = (kind: string, index: number, parts: object): Promise<unknown> => call(operations.processFrame, { sessionId, requestId: `${kind}${index}`, ...parts });
  const frame = (index: number): string => frames[index % frames.length]!;
  return interleave({
    directInstruction: () => timed(() => direct({ instruction })),
    turnInstruction: (index) => timed(() => turn('i', index, { instruction })),
    directFrame: (index) => timed(() => direct({ frame: { mime: 'image/jpeg', bytes: Buffer.from(frame(index), 'base64') } })),
    turnFrame: (index) => timed(() => turn('f', index, { frameData: frame(index) })),
  }, input.plan);
}

process.once('message', (input: FrameProcessInput) => {
  run(input).then((output) => process.send!(output, () => process.exit()), (error: unknown) => {
    console.error(error);
    process.exit(1);
  });
});
process.on('disconnect', () => process.exit());
