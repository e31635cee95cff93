import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { ROOT } from '../paths.ts';

/** The emulators of the suite, by their names in firebase.json. */
export const EMULATORS = ['auth', 'functions', 'firestore', 'database', 'pubsub', 'tasks', 'eventarc'] as const;

/** One emulator of the suite. */
export type EmulatorName = (typeof EMULATORS)[number];

/** An address that an emulator listens on. */
export interface Address {
  host: string;
  port: number;
}

interface FirebaseJson {
  emulators: Record<string, Partial<Address> | undefined>;
}

/** Reads the addresses out of firebase.json; `hub` and `logging` run beside every suite. */
export function readAddresses(text = readFileSync(join(ROOT, 'firebase.json'), 'utf8')): Record<EmulatorName | 'hub' | 'logging', Address> {
  const { emulators } = JSON.parse(text) as FirebaseJson;
  const entries = [...EMULATORS, 'hub', 'logging'].map((name) => {
    const { host = '127.0.0.1', port } = emulators[name] ?? {};
    if (!port) throw new UserError(`firebase.json names no port for the ${name} emulator: add emulators.${name}.port.`);
    return [name, { host, port }];
  });
  return Object.fromEntries(entries) as Record<EmulatorName | 'hub' | 'logging', Address>;
}

/** Whether a server could listen there now. */
export function isFree({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/** Process id of an emulator suite whose hub answers at this address. */
export async function runningSuite({ host, port }: Address): Promise<number | undefined> {
  try {
    const answer = await fetch(`http://${host}:${port}/`, { signal: AbortSignal.timeout(1_000) });
    const { pid } = (await answer.json()) as { pid?: number };
    return pid;
  } catch {
    return undefined;
  }
}

/** Refuses to start over a taken port, and says whether it is a suite that still runs. */
export async function requireFreePorts(addresses: Record<string, Address>): Promise<void> {
  const names = Object.keys(addresses);
  const free = await Promise.all(Object.values(addresses).map(isFree));
  const taken = names.find((_, index) => !free[index]);
  if (!taken) return;
  const pid = addresses['hub'] && (await runningSuite(addresses['hub']));
  if (pid) {
    throw new UserError(`An emulator suite is already running (process ${pid}): stop it with Ctrl-C in its terminal, or with: kill -INT ${pid}`);
  }
  const port = addresses[taken]?.port;
  throw new UserError(
    `Port ${port} of the ${taken} emulator is taken by another program (lsof -i :${port} names it): `
      + `stop that program or change emulators.${taken}.port in firebase.json.`,
  );
}
