/** What the tests share: a server of their own, and clients of every kind for it. */

import { createRequire } from 'node:module';
import { Component } from '@firebase/component';
import { deleteApp, initializeApp, setLogLevel, type FirebaseApp } from 'firebase/app';
import { connectDatabaseEmulator, getDatabase, onValue, ref, type Database, type DataSnapshot, type Query } from 'firebase/database';
import { WebSocket } from 'ws';
import { startDatabaseEmulator, type DatabaseEmulator, type EmulatorOptions } from './server.ts';

/** The part of the Admin SDK's database that the tests use. */
export interface AdminDatabase {
  ref(path?: string): AdminReference;
}

/** The part of the Admin SDK's reference that the tests use. */
export interface AdminReference {
  set(value: unknown): Promise<void>;
  update(values: object): Promise<void>;
  remove(): Promise<void>;
  get(): Promise<{ val(): unknown; exportVal(): unknown }>;
  transaction(change: (current: number | null) => unknown): Promise<{ committed: boolean; snapshot: { val(): unknown } }>;
  on(event: 'value', callback: (snapshot: { val(): unknown }) => void, cancel?: (error: Error) => void): void;
}

// The Admin SDK is a dependency of the functions, not of the tools.
const adminRequire = createRequire(new URL('../../../functions/package.json', import.meta.url));
const adminApp = adminRequire('firebase-admin/app') as {
  initializeApp: (options: object, name: string) => object;
  deleteApp: (app: object) => Promise<void>;
};
const adminDatabase = adminRequire('firebase-admin/database') as { getDatabase: (app: object) => AdminDatabase };

/** A user whom a test can sign in and out, in place of the authentication library. */
export interface SwitchableUser {
  signIn(uid: string): void;
  signOut(): void;
}

/** A server with its clients. */
export class Lab {
  readonly emulator: DatabaseEmulator;
  readonly #cleanups: (() => unknown)[] = [];
  static #count = 0;

  constructor(emulator: DatabaseEmulator) {
    this.emulator = emulator;
  }

  /** A client of the JavaScript SDK, signed in as `uid` if one is given. */
  client(uid?: string, ns = 'demo'): Database {
    const database = getDatabase(this.#app(ns));
    const mockUserToken = uid === undefined ? undefined : { sub: uid };
    connectDatabaseEmulator(database, '127.0.0.1', this.emulator.port, mockUserToken ? { mockUserToken } : {});
    return database;
  }

  /** A client of the JavaScript SDK whose user can change. */
  switchableClient(): { database: Database; user: SwitchableUser } {
    const app = this.#app('demo');
    let token: string | null = null;
    const watchers = new Set<(token: string | null) => void>();
    const auth = {
      getToken: () => Promise.resolve(token === null ? null : { accessToken: token }),
      addAuthTokenListener: (watcher: (token: string | null) => void) => { watchers.add(watcher); },
      removeAuthTokenListener: (watcher: (token: string | null) => void) => { watchers.delete(watcher); },
    };
    const become = (next: string | null): void => {
      token = next;
      for (const watcher of watchers) watcher(token);
    };
    const component = new Component('auth-internal' as never, () => auth as never, 'PUBLIC' as never);
    // In the place of the SDK's own, which is there where a test of the same process has loaded it.
    (app as unknown as { container: { addOrOverwriteComponent(component: unknown): void } }).container.addOrOverwriteComponent(component);
    const database = getDatabase(app);
    connectDatabaseEmulator(database, '127.0.0.1', this.emulator.port);
    return { database, user: { signIn: (uid) => { become(unsignedToken({ sub: uid })); }, signOut: () => { become(null); } } };
  }

  /** A client of the Admin SDK. */
  admin(options: object = {}, ns = 'demo'): AdminDatabase {
    const app = adminApp.initializeApp({ databaseURL: `http://127.0.0.1:${this.emulator.port}?ns=${ns}`, ...options }, `admin ${++Lab.#count}`);
    this.#cleanups.push(() => adminApp.deleteApp(app));
    return adminDatabase.getDatabase(app);
  }

  /** A REST request, as the administrator unless the options say otherwise. */
  async rest(path: string, options: RequestInit = {}): Promise<{ status: number; json: unknown; headers: Headers }> {
    const url = new URL(path, `http://127.0.0.1:${this.emulator.port}`);
    if (!url.searchParams.has('ns')) url.searchParams.set('ns', 'demo');
    const response = await fetch(url, { ...options, headers: { authorization: 'Bearer owner', ...options.headers } });
    const text = await response.text();
    return { status: response.status, json: text === '' ? undefined : JSON.parse(text), headers: response.headers };
  }

  /** Puts rules into force. */
  async rules(rules: object | string, ns = 'demo'): Promise<void> {
    const body = typeof rules === 'string' ? rules : JSON.stringify({ rules });
    const { status, json } = await this.rest(`/.settings/rules.json?ns=${ns}`, { method: 'PUT', body });
    if (status !== 200) throw new Error(`Rules refused: ${JSON.stringify(json)}`);
  }

  /** A bare WebSocket on which requests can be sent by hand. */
  async wire(): Promise<Wire> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.emulator.port}/.ws?v=5&ns=demo`);
    const wire = new Wire(socket);
    this.#cleanups.push(() => { socket.terminate(); });
    await wire.next((message) => message.t === 'c');
    return wire;
  }

  /** Ends every client and the server. */
  async close(): Promise<void> {
    await Promise.all(this.#cleanups.map((clean) => clean()));
    await this.emulator.close();
  }

  #app(ns: string): FirebaseApp {
    setLogLevel('silent');
    const app = initializeApp({ projectId: 'demo', databaseURL: `http://127.0.0.1:${this.emulator.port}?ns=${ns}` }, `client ${++Lab.#count}`);
    this.#cleanups.push(() => deleteApp(app));
    return app;
  }
}

/** A message of the wire protocol. */
export interface WireMessage {
  t: string;
  d: { t?: string; r?: number; a?: string; b?: { s?: string; d?: unknown; p?: string; t?: number; q?: unknown } };
}

/** A connection on which the test itself speaks the wire protocol. */
export class Wire {
  readonly socket: WebSocket;
  readonly messages: WireMessage[] = [];
  #announce: () => void = () => undefined;
  #requests = 0;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      this.messages.push(JSON.parse((data as Buffer).toString('utf8')) as WireMessage);
      this.#announce();
    });
  }

  /** Sends a request and gives the body of its answer. */
  async request(action: string, body: object): Promise<{ s?: string; d?: unknown }> {
    const number = ++this.#requests;
    this.socket.send(JSON.stringify({ t: 'd', d: { r: number, a: action, b: body } }));
    return (await this.next((message) => message.d.r === number)).d.b ?? {};
  }

  /** Waits for a message and takes it, along with everything that came before it. */
  async next(wanted: (message: WireMessage) => boolean): Promise<WireMessage> {
    for (;;) {
      const index = this.messages.findIndex(wanted);
      const found = this.messages[index];
      if (found !== undefined) {
        this.messages.splice(0, index + 1);
        return found;
      }
      await new Promise<void>((resolve) => { this.#announce = resolve; });
    }
  }
}

/** Gives every test of the suite a server of its own. */
export function useLab(options: Partial<EmulatorOptions> = {}): { current: Lab } {
  const holder = {} as { current: Lab };
  beforeEach(async () => { holder.current = new Lab(await startDatabaseEmulator({ host: '127.0.0.1', port: 0, ...options })); });
  afterEach(() => holder.current.close());
  return holder;
}

/** A token such as the Auth emulator issues. */
export function unsignedToken(claims: object): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  return `${encode({ alg: 'none', typ: 'JWT' })}.${encode({ iat: 0, exp: 3600, ...claims })}.`;
}

/** Waits until a listener sees a value that passes the test. */
export function until(query: Query, wanted: (snapshot: DataSnapshot) => boolean): Promise<DataSnapshot> {
  return new Promise((resolve, reject) => {
    const stop = onValue(query, (snapshot) => {
      if (!wanted(snapshot)) return;
      // The callback may run before `stop` has been assigned.
      queueMicrotask(() => { stop(); });
      resolve(snapshot);
    }, reject);
  });
}

/** Waits until a client is connected. */
export async function connected(database: Database): Promise<void> {
  await until(ref(database, '.info/connected'), (snapshot) => snapshot.val() === true);
}
