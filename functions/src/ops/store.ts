import { liveDatabases } from '../runtime/firebase.ts';
import { parseServerConfig, serverConfigRef } from '../sessions/store.ts';
import type { ServerConfig } from '../sessions/schema.ts';

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
