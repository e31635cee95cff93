import { AggregateField, type DocumentReference } from 'firebase-admin/firestore';
import { newEvent } from '../events/events.ts';
import { outboxRef, toOutbox } from '../events/store.ts';
import { commitIfUnchanged, unchanged, type Plan } from '../runtime/commit.ts';
import { db, liveDatabases } from '../runtime/firebase.ts';
import { parseServerConfig, serverConfigRef } from '../sessions/store.ts';
import type { ServerConfig } from '../sessions/schema.ts';
import { countEveryMs, nextPlatform, type PlatformDoc } from './platform.ts';

/** The server configuration. One read. */
export async function getServerConfig(): Promise<ServerConfig> {
  return parseServerConfig(await serverConfigRef().get());
}

/** Whether each database answers a read within two seconds, and the configuration is usable; `false` says nothing about why: the log does. */
export async function checkReadiness(): Promise<{ firestore: boolean; configuration: boolean; realtimeDatabase: boolean }> {
  const config = serverConfigRef().get();
  const [firestore, configuration, realtimeDatabase] = await Promise.all([
    answers(() => config),
    answers(async () => parseServerConfig(await config)),
    answers(() => Promise.all(liveDatabases().map((database) => database.ref('health').get()))),
  ]);
  return { firestore, configuration, realtimeDatabase };
}

async function answers(check: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => { timer = setTimeout(() => resolve(false), 2_000); });
  const answer = await Promise.race([check().then(() => true, () => false), late]);
  clearTimeout(timer);
  return answer;
}

/** ops/platform */
export function platformRef(): DocumentReference<PlatformDoc> {
  return db().collection('ops').doc('platform') as DocumentReference<PlatformDoc>;
}

/**
 * Counts all balances together when that is due, and publishes platform.low_balance once when they fall below the
 * threshold of the server configuration. Null when it is not due yet.
 */
export async function watchPlatform(now: number): Promise<PlatformDoc | null> {
  return commitIfUnchanged(async (): Promise<Plan<PlatformDoc | null>> => {
    const snapshot = await platformRef().get();
    const before = snapshot.data() ?? null;
    if (before && now < before.countedAt + countEveryMs) return { result: null };
    const [counted, { alerts }] = await Promise.all([
      db().collectionGroup('agents').aggregate({ sum: AggregateField.sum('currentDOFs') }).get(),
      getServerConfig(),
    ]);
    const { platform, alert } = nextPlatform(before, counted.data().sum, alerts.platformBalanceDOFs, now);
    return { result: platform, write: (batch) => {
      if (before) batch.update(platformRef(), { ...platform }, unchanged(snapshot));
      else batch.create(platformRef(), platform);
      if (!alert) return;
      const event = newEvent({ type: 'platform.low_balance', subject: 'platform', sequence: platform.alerts, data: { balanceDOFs: platform.balanceDOFs, threshold: alerts.platformBalanceDOFs } });
      batch.create(outboxRef(event.eventId), toOutbox(event));
    } };
  });
}
