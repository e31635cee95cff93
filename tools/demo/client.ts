import { deleteApp, initializeApp } from 'firebase/app';
import { connectAuthEmulator, getAuth, signInWithEmailAndPassword, signOut } from 'firebase/auth';
import { getDatabase, goOffline, onValue, ref, type Database } from 'firebase/database';
import { connectFirestoreEmulator, doc, getDoc, getFirestore, onSnapshot, terminate } from 'firebase/firestore';
import { connectFunctionsEmulator, getFunctions, httpsCallable } from 'firebase/functions';
import type { ProductDoc } from '../../functions/src/agents/schema.ts';
import type { operations } from '../../functions/src/operations.ts';
import type { SessionDoc } from '../../functions/src/sessions/schema.ts';
import type { Suite } from '../emulators/suite.ts';
import { PROJECT_ID } from '../paths.ts';

type Operations = typeof operations;
type Name = keyof Operations;
/** What an operation takes. */
export type Input<N extends Name> = Operations[N]['input']['_zod']['input'];
/** What an operation answers. */
export type Output<N extends Name> = Operations[N]['output']['_zod']['output'];

/** A client app on the real client SDK: nothing here can do more than a player's phone. */
export interface Client {
  signIn: (email: string, password: string) => Promise<{ uid: string; displayName: string }>;
  call: <N extends Name>(name: N, input: Input<N>) => Promise<Output<N>>;
  /** Calls and hands over each piece of text as it comes. */
  processFrame: (input: Input<'processFrame'>, onText: (text: string) => void) => Promise<Output<'processFrame'>>;
  readProduct: (productId: string) => Promise<ProductDoc | undefined>;
  /** Listens to a path of the Realtime Database at an address the server gave. */
  listen: (databaseUrl: string, path: string, onData: (value: unknown) => void, onError: (error: Error) => void) => void;
  /** Listens to the session's document. */
  watchSession: (sessionId: string, onData: (session: SessionDoc) => void, onError: (error: Error) => void) => void;
  /** Stops the listeners and frees every connection. */
  close: () => Promise<void>;
}

/** A client app of the running suite, not signed in yet. */
export function createClient({ urls }: Suite): Client {
  const app = initializeApp({ apiKey: 'demo', projectId: PROJECT_ID }, 'demo');
  const auth = getAuth(app);
  const firestore = getFirestore(app);
  const functions = getFunctions(app);
  const address = (name: 'firestore' | 'functions') => {
    const { hostname, port } = new URL(urls[name] ?? '');
    return [hostname, Number(port)] as const;
  };
  connectAuthEmulator(auth, urls.auth ?? '', { disableWarnings: true });
  connectFirestoreEmulator(firestore, ...address('firestore'));
  connectFunctionsEmulator(functions, ...address('functions'));
  const databases = new Set<Database>();
  const stops: (() => void)[] = [];
  return {
    async signIn(email, password) {
      const { user } = await signInWithEmailAndPassword(auth, email, password);
      return { uid: user.uid, displayName: user.displayName ?? email };
    },
    call: async <N extends Name>(name: N, input: Input<N>) => (await httpsCallable<Input<N>, Output<N>>(functions, name)(input)).data,
    async processFrame(input, onText) {
      const { stream, data } = await httpsCallable<typeof input, Output<'processFrame'>, { text: string }>(functions, 'processFrame').stream(input);
      // A failure reaches both; the loop below throws it first.
      data.catch(() => undefined);
      for await (const { text } of stream) onText(text);
      return data;
    },
    readProduct: async (productId) => (await getDoc(doc(firestore, 'products', productId))).data() as ProductDoc | undefined,
    listen(databaseUrl, path, onData, onError) {
      const database = getDatabase(app, databaseUrl);
      databases.add(database);
      stops.push(onValue(ref(database, path), (snapshot) => onData(snapshot.val()), onError));
    },
    watchSession(sessionId, onData, onError) {
      stops.push(onSnapshot(doc(firestore, 'sessions', sessionId), (snapshot) => {
        if (snapshot.exists()) onData(snapshot.data() as SessionDoc);
      }, onError));
    },
    async close() {
      for (const stop of stops.splice(0)) stop();
      for (const database of databases) goOffline(database);
      // Signed in, the SDK would keep a timer for the next token, and with it the process.
      await signOut(auth);
      await terminate(firestore);
      await deleteApp(app);
    },
  };
}
