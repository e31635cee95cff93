/** One client on a WebSocket: the requests it may send, and what it is told in return. */

import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import { actAs, ANONYMOUS, readCredential } from './auth.ts';
import { DisconnectQueue } from './disconnect.ts';
import { DataError, messageOf, PermissionError, StaleError, TokenError } from './errors.ts';
import { FrameReader, toFrames } from './frames.ts';
import { hashNode } from './hash.ts';
import type { Listener, Update } from './listeners.ts';
import { changesOf, type Namespace } from './namespace.ts';
import { formatPath, parsePath } from './path.ts';
import { queryFromWire, type Query } from './query.ts';
import type { Identity } from './rules.ts';
import { toJson, type DataNode } from './tree.ts';

const PROTOCOL_VERSION = '5';
/** Tokens that last longer than a timer can will outlast the server. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The body of a request; which members it has depends on the action. */
interface Body {
  p?: string;
  d?: unknown;
  h?: unknown;
  q?: unknown;
  t?: number;
  cred?: unknown;
  noauth?: boolean;
  authvar?: unknown;
}

/** A client that is connected. */
export class Connection {
  readonly #socket: WebSocket;
  readonly #database: Namespace;
  readonly #frames = new FrameReader();
  readonly #listeners = new Map<string, Listener>();
  readonly #onDisconnect = new DisconnectQueue();
  #who: Identity = ANONYMOUS;
  #expiry: NodeJS.Timeout | undefined;

  constructor(socket: WebSocket, database: Namespace, host: string) {
    this.#socket = socket;
    this.#database = database;
    socket.on('message', (data) => { this.#receive((data as Buffer).toString('utf8')); });
    socket.on('error', () => { socket.terminate(); });
    socket.on('close', () => { this.#end(); });
    const session = randomBytes(16).toString('hex');
    this.#sendText(JSON.stringify({ t: 'c', d: { t: 'h', d: { ts: Date.now(), v: PROTOCOL_VERSION, h: host, s: session } } }));
  }

  #receive(frame: string): void {
    const text = this.#frames.read(frame);
    if (text === null) return;
    try {
      const message = JSON.parse(text) as { t: string; d: { t?: string; r: number; a: string; b?: Body } };
      if (message.t === 'd') this.#answer(message.d.r, message.d.a, message.d.b ?? {});
      else if (message.t === 'c' && message.d.t === 'p') this.#sendText('{"t":"c","d":{"t":"o","d":{}}}');
    } catch (error) {
      console.warn(`A client sent a message that cannot be read: ${messageOf(error)}`);
      this.#socket.terminate();
    }
  }

  /** Does what a request asks for and sends its answer, after whatever news the request gave rise to. */
  #answer(request: number, action: string, body: Body): void {
    let answer: { s: string; d: unknown };
    try {
      const result = this.#perform(action, body);
      // To a read, null is an answer; everything else answers with an object.
      answer = { s: 'ok', d: action === 'g' ? result : result ?? {} };
    } catch (error) {
      answer = { s: statusOf(error), d: messageOf(error) };
    }
    this.#sendText(JSON.stringify({ t: 'd', d: { r: request, b: answer } }));
  }

  #perform(action: string, body: Body): unknown {
    const path = body.p ?? '';
    switch (action) {
      case 'q': return this.#listen(body);
      case 'n': return this.#unlisten(body);
      case 'g': return this.#get(body);
      case 'p': return void this.#database.set(this.#who, path, body.d, hashOption(body));
      case 'm': return void this.#database.update(this.#who, path, body.d, hashOption(body));
      case 'o':
        this.#database.check(this.#who, [{ path, json: body.d }]);
        return this.#onDisconnect.set(this.#who, path, body.d);
      case 'om': {
        const changes = changesOf(path, body.d);
        this.#database.check(this.#who, changes);
        return this.#onDisconnect.update(this.#who, new Map(changes.map((change) => [change.path, change.json])));
      }
      case 'oc': return this.#onDisconnect.cancel(path);
      case 'auth':
      case 'gauth': return this.#signIn(body);
      case 'unauth': return this.#become(ANONYMOUS, null);
      case 's':
      case 'appcheck':
      case 'unappeck': return undefined;
      default: throw new DataError(`Unknown action ${JSON.stringify(action)}`);
    }
  }

  #get(body: Body): unknown {
    return toJson(this.#database.read(this.#who, parsePath(body.p ?? ''), queryFromWire(body.q)), { export: true });
  }

  #listen(body: Body): unknown {
    const path = parsePath(body.p ?? '');
    const query = queryFromWire(body.q);
    const tag = body.t === undefined ? '' : `,"t":${JSON.stringify(body.t)}`;
    const name = listenerName(body);
    this.#unlisten(body);
    const listener: Listener = {
      path,
      query,
      who: () => this.#who,
      send: (update) => { this.#sendUpdate(update, tag); },
      revoke: () => {
        this.#listeners.delete(name);
        const revoked = { p: formatPath(path), ...(body.q === undefined ? {} : { q: [body.q] }) };
        this.#sendText(JSON.stringify({ t: 'd', d: { a: 'c', b: revoked } }));
      },
    };
    const data = this.#database.listen(listener);
    this.#listeners.set(name, listener);
    if (!isKnown(data, body.h)) {
      this.#sendUpdate({ path, merge: false, json: () => JSON.stringify(toJson(data, { export: true })) }, tag);
    }
    return this.#lacksIndex(listener.path, query) ? { w: ['no_index'] } : undefined;
  }

  #lacksIndex(path: readonly string[], query: Query | null): boolean {
    return query !== null && !this.#database.rules.hasIndex(path, query);
  }

  #unlisten(body: Body): void {
    const listener = this.#listeners.get(listenerName(body));
    if (listener === undefined) return;
    this.#listeners.delete(listenerName(body));
    this.#database.unlisten(listener);
  }

  #signIn(body: Body): unknown {
    const { identity, expires } = readCredential(String(body.cred), Date.now());
    const override = body.noauth === true ? null : body.authvar;
    this.#become(identity.admin && override !== undefined ? actAs(override) : identity, expires);
    return { auth: this.#who.auth, ...(expires === null ? {} : { expires: expires / 1000 }) };
  }

  #become(who: Identity, expires: number | null): void {
    this.#who = who;
    clearTimeout(this.#expiry);
    const left = expires === null ? Infinity : expires - Date.now();
    if (left <= LONGEST_TIMER) this.#expiry = setTimeout(() => { this.#expire(); }, left).unref();
    this.#database.recheck([...this.#listeners.values()]);
  }

  #expire(): void {
    this.#sendText(JSON.stringify({ t: 'd', d: { a: 'ac', b: { s: 'expired_token', d: 'Auth token is expired' } } }));
    this.#become(ANONYMOUS, null);
  }

  #sendUpdate(update: Update, tag: string): void {
    const path = JSON.stringify(formatPath(update.path));
    this.#sendText(`{"t":"d","d":{"a":"${update.merge ? 'm' : 'd'}","b":{"p":${path},"d":${update.json()}${tag}}}}`);
  }

  #sendText(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    for (const frame of toFrames(text)) this.#socket.send(frame);
  }

  #end(): void {
    clearTimeout(this.#expiry);
    for (const listener of this.#listeners.values()) this.#database.unlisten(listener);
    this.#listeners.clear();
    this.#onDisconnect.run(this.#database);
  }
}

/** One listener for each path and query, as in the client libraries. */
function listenerName(body: Body): string {
  const members = Object.entries(body.q ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([parsePath(body.p ?? ''), members]);
}

/** Does the client have the data already? Then it need not be sent again. */
function isKnown(data: DataNode, hash: unknown): boolean {
  return typeof hash === 'string' && hash !== '' && hash === hashNode(data);
}

function hashOption(body: Body): { hash?: string } {
  return typeof body.h === 'string' ? { hash: body.h } : {};
}

function statusOf(error: unknown): string {
  if (error instanceof PermissionError) return 'permission_denied';
  if (error instanceof StaleError) return 'datastale';
  if (error instanceof TokenError) return error.status;
  if (error instanceof DataError) return 'invalid_data';
  console.error(error);
  return 'internal_error';
}
