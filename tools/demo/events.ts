import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as PubSubModule from '../../functions/node_modules/@google-cloud/pubsub/build/src/index.js';
import type { Envelope, Topic } from '../../functions/src/events/events.ts';
import { FUNCTIONS, PROJECT_ID } from '../paths.ts';
import type { ReceivedEvent } from './facts.ts';
import { until } from './wait.ts';

/** The topics that business events are published to. */
export const TOPICS = ['session-events', 'transaction-events', 'agent-events', 'notification-events'] as const satisfies readonly Topic[];

/** Receives business events as another backend would. */
export interface EventFeed {
  /** Everything that arrived about a subject, in the order of arrival, repeats included. */
  about: (subject: string) => ReceivedEvent[];
  /** Waits until these events have arrived; false when some never did. */
  waitFor: (ids: string[], timeoutMs: number) => Promise<boolean>;
  close: () => Promise<void>;
}

const ALREADY_EXISTS = 6;

/** Subscribes to every topic; before anything happens, because a subscription gets no older message. */
export async function subscribe(env: Record<string, string>): Promise<EventFeed> {
  process.env['METADATA_SERVER_DETECTION'] = 'none';
  const { PubSub } = createRequire(join(FUNCTIONS, 'package.json'))('@google-cloud/pubsub') as typeof PubSubModule;
  const pubsub = new PubSub({ projectId: PROJECT_ID, apiEndpoint: env['PUBSUB_EMULATOR_HOST'] ?? '', emulatorMode: true });
  const received: ReceivedEvent[] = [];
  const subscriptions = await Promise.all(TOPICS.map(async (topic) => {
    await pubsub.createTopic(topic).catch((error: { code?: number }) => {
      if (error.code !== ALREADY_EXISTS) throw error;
    });
    const [subscription] = await pubsub.topic(topic).createSubscription(`demo-${topic}-${randomUUID().slice(0, 8)}`, { enableMessageOrdering: true });
    subscription.on('message', (message) => {
      received.push(toReceived(topic, JSON.parse(message.data.toString()) as Envelope));
      message.ack();
    });
    // What does not arrive is reported as missing; an error event without a listener would end the process.
    subscription.on('error', () => undefined);
    return subscription;
  }));
  return {
    about: (subject) => received.filter((event) => event.subject === subject),
    waitFor: (ids, timeoutMs) => until(() => ids.every((id) => received.some((event) => event.id === id)), timeoutMs),
    async close() {
      await Promise.all(subscriptions.map((subscription) => subscription.close()));
      await pubsub.close();
    },
  };
}

function toReceived(topic: string, { id, type, timestamp, metadata }: Envelope): ReceivedEvent {
  return { id, type, topic, subject: metadata.subject, sequence: metadata.sequence, lagMs: Date.now() - Date.parse(timestamp) };
}
