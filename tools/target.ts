import { connect } from 'node:net';
import { clientEnvironment } from './emulators/environment.ts';
import { EMULATORS, readAddresses } from './emulators/ports.ts';
import { UserError } from './errors.ts';

const HOSTS = ['FIRESTORE_EMULATOR_HOST', 'FIREBASE_DATABASE_EMULATOR_HOST', 'FIREBASE_AUTH_EMULATOR_HOST'] as const;
const ANSWER_WITHIN_MS = 3_000;

/**
 * Environment that points the SDKs at what a command is about: a real project, or the emulators when that is null. Undefined
 * takes a variable away. `verb` is what the command does there.
 * @throws UserError where the project and the environment do not agree on whether that is real.
 */
export function targetEnvironment({ project }: { project: string | null }, env: NodeJS.ProcessEnv, verb: string): Record<string, string | undefined> {
  if (project !== null) {
    if (project.startsWith('demo-')) throw new UserError(`${project} exists on emulators only: leave --project out to ${verb} them.`);
    const host = HOSTS.find((name) => env[name]);
    if (host) throw new UserError(`${host} is set, so --project ${project} would not reach the real project: unset it, or leave --project out to ${verb} the emulators.`);
    return { GCLOUD_PROJECT: project, GOOGLE_CLOUD_PROJECT: project, FIREBASE_CONFIG: undefined };
  }
  const emulators = clientEnvironment(EMULATORS, readAddresses());
  const chosen = Object.fromEntries(HOSTS.flatMap((name) => (env[name] ? [[name, env[name]]] : [])));
  const known = env['GCLOUD_PROJECT'];
  if (known && !known.startsWith('demo-')) {
    throw new UserError(`GCLOUD_PROJECT names the real project ${known}: say --project ${known} to ${verb} it, or unset the variable to ${verb} the emulators.`);
  }
  return { ...emulators, ...chosen, ...(known ? { GCLOUD_PROJECT: known, GOOGLE_CLOUD_PROJECT: known } : {}) };
}

/** Points the SDKs of this process there. @throws UserError as targetEnvironment does, and where no emulator answers. */
export async function pointAt(target: { project: string | null }, verb: string): Promise<void> {
  for (const [name, value] of Object.entries(targetEnvironment(target, process.env, verb))) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  if (target.project === null) await requireEmulator(process.env['FIRESTORE_EMULATOR_HOST'] ?? '');
}

/** What to tell somebody whose command failed because nobody is signed in; null for any other error. */
export function credentialsProblem(error: unknown): string | null {
  if (!(error instanceof Error && error.message.startsWith('Could not load the default credentials'))) return null;
  return 'There are no application default credentials: run gcloud auth application-default login, or leave --project out to work on the emulators.';
}

/** @throws UserError unless something listens there: the SDK would try for minutes. */
async function requireEmulator(host: string): Promise<void> {
  const { hostname, port } = new URL(`http://${host}`);
  const answers = await new Promise<boolean>((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: ANSWER_WITHIN_MS });
    const end = (result: boolean) => () => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
  if (!answers) throw new UserError(`No Firestore emulator answers at ${host}: run npm start in another terminal, or name a real project with --project ID.`);
}
