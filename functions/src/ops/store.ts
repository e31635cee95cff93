import { db, liveDatabases } from '../runtime/firebase.ts';
import { parseServerConfig, serverConfigRef } from '../sessions/store.ts';
import type { ServerConfig } from '../sessions/schema.ts';

/** The server configuration. One read. */
export async function getServerConfig(): Promise<ServerConfig> {
  return parseServerConfig(await serverConfigRef().get());
}

/** Whether each database answers a read within two seconds; `false` says nothing about why. */
export async function checkDatabases(): Promise<{ firestore: boolean; realtimeDatabase: boolean }> {
  const [firestore, realtimeDatabase] = await Promise.all([
    answers(() => db().collection('config').doc('server').get()),
    answers(() => Promise.all(liveDatabases().map((database) => database.ref('health').get()))),
  ]);
  return { firestore, realtimeDatabase };
}

async function answers(check: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => { timer = setTimeout(() => resolve(false), 2_000); });
  const answer = await Promise.race([check().then(() => true, () => false), late]);
  clearTimeout(timer);
  return answer;
}
