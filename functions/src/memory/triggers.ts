import { onDocumentCreated } from 'firebase-functions/firestore';
import { loadEmbeddings } from '../providers/registry.ts';
import { providerSettings } from '../providers/settings.ts';
import { geminiApiKey, googleApiKey, openaiApiKey } from '../runtime/params.ts';
import { userTag } from '../runtime/log.ts';
import { runTrigger } from '../runtime/trigger.ts';
import { embedStored } from './embed.ts';

/** Embeds every new memory, off the path of the turn that made it. */
export const embedMemory = onDocumentCreated(
  { document: 'users/{uid}/agents/{agentInstanceId}/memories/{memoryId}', retry: true, secrets: [geminiApiKey, googleApiKey, openaiApiKey] },
  async ({ params }) => {
    const { uid, agentInstanceId } = params;
    await runTrigger('embedMemory', { user: userTag(uid), agentInstanceId }, () => embedStored(params, ({ provider }) => {
      const { name, settings } = providerSettings(provider);
      return loadEmbeddings(name, settings);
    }));
  },
);
