import { OWNER } from '../../../tools/emulators/database/auth.ts';
import { DataError, messageOf, StaleError } from '../../../tools/emulators/database/errors.ts';
import type { Listener, Update } from '../../../tools/emulators/database/listeners.ts';
import type { Namespace } from '../../../tools/emulators/database/namespace.ts';
import { contains, formatPath, splitPath, type Path } from '../../../tools/emulators/database/path.ts';
import { queryFromWire } from '../../../tools/emulators/database/query.ts';
import { toJson } from '../../../tools/emulators/database/tree.ts';
import type { Gate, Io } from './io.ts';
import { withoutTimers } from './timers.ts';

/** A query as the SDK gives it to its connection. */
export interface SdkQuery { _path: { toString(): string }; _queryObject: object; _queryIdentifier: string }

/** How the SDK takes in what the server tells of a listened place. */
export type OnDataUpdate = (path: string, data: unknown, isMerge: boolean, tag: number | null) => void;

type OnComplete = (status: string, reason?: string) => void;

interface Listening extends Listener {
  tag: number | null;
  /** Its request is under way, alone or with a transaction. */
  sent: boolean;
  /** The server knows it. */
  started: boolean;
  onComplete: OnComplete;
}

/** What a connection needs: the data, the gate before it, how news are handed on, and where the SDK takes them in. */
export interface ConnectionOptions { data: Namespace; gate: Gate; deliver: (callback: () => void) => void; onDataUpdate: OnDataUpdate }

/**
 * What the SDK of one process talks to in place of its WebSocket. As on one, news arrive in the order in which they
 * came about, and before the answer to a request that reached the server after them.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #listeners = new Map<string, Listening>();
  /** News on their way to the process, and how many there have been and have arrived. */
  readonly #news: (() => void)[] = [];
  #told = 0;
  #arrived = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Starts a listener. It is sent a moment later, so that the watch of a transaction can travel with its write. */
  listen(query: SdkQuery, _hash: () => string, tag: number | null | undefined, onComplete: OnComplete): void {
    const listening: Listening = {
      path: splitPath(query._path.toString()),
      query: tag ? queryFromWire(query._queryObject) : null,
      tag: tag ?? null,
      sent: false,
      started: false,
      onComplete,
      who: () => OWNER,
      send: (update) => { this.#deliver(this.#tell(listening, update)); },
      revoke: () => undefined,
    };
    this.#listeners.set(nameOf(query), listening);
    queueMicrotask(() => { this.#send(listening); });
  }

  /** Stops a listener. */
  unlisten(query: SdkQuery): void {
    const listening = this.#listeners.get(nameOf(query));
    this.#listeners.delete(nameOf(query));
    if (listening?.started) this.#options.data.unlisten(listening);
  }

  /** Reads once. */
  async get(query: SdkQuery): Promise<unknown> {
    const path = splitPath(query._path.toString());
    const wanted = queryFromWire(query._queryObject);
    const { json, told } = await this.#options.gate(toIo(wanted ? 'query' : 'get', [path]), () => (
      { json: toJson(this.#options.data.read(OWNER, path, wanted), { export: true }), told: this.#told }));
    this.#arrive(told);
    return json;
  }

  /** Sets a place; with a hash only if what is there has it: that is one attempt of a transaction. */
  put(path: string, json: unknown, onComplete: OnComplete, hash?: string): void {
    const place = splitPath(path);
    const kind = hash !== undefined ? 'transaction' : json === null ? 'remove' : 'set';
    const watches = hash === undefined ? [] : this.#waitingFor(place).filter(({ sent }) => !sent);
    for (const watch of watches) watch.sent = true;
    const write = (): unknown => this.#options.data.set(OWNER, path, json, hash === undefined ? {} : { hash });
    this.#write(toIo(kind, [place]), write, onComplete, () => {
      for (const watch of watches) {
        watch.sent = watch.started;
        queueMicrotask(() => { this.#send(watch); });
      }
    });
  }

  /** Sets several places below one, all or none. */
  merge(path: string, patch: object, onComplete: OnComplete): void {
    const places = Object.keys(patch).map((key) => splitPath(`${path}/${key}`));
    this.#write(toIo('update', places), () => this.#options.data.update(OWNER, path, patch), onComplete);
  }

  /** Ends every listener. */
  close(): void {
    for (const listening of this.#listeners.values()) if (listening.started) this.#options.data.unlisten(listening);
    this.#listeners.clear();
  }

  #write(io: Io, write: () => unknown, onComplete: OnComplete, onLost?: () => void): void {
    const apply = (): { status: string; reason?: string; told: number } => {
      // What the process listened to before this write, it hears as it was before it.
      for (const path of io.paths) for (const listening of this.#waitingFor(splitPath(path))) this.#start(listening);
      return { ...attempt(write), told: this.#told };
    };
    this.#options.gate(io, apply).then(({ status, reason, told }) => {
      this.#arrive(told);
      withoutTimers(() => { onComplete(status, reason); });
    }, (error: unknown) => {
      withoutTimers(() => { onComplete(codeOf(error), messageOf(error)); });
      onLost?.();
    });
  }

  #send(listening: Listening): void {
    if (listening.sent || !this.#isWanted(listening)) return;
    listening.sent = true;
    const apply = (): number => {
      if (this.#isWanted(listening)) this.#start(listening);
      return this.#told;
    };
    const complete = (status: string): void => {
      if (this.#isWanted(listening)) withoutTimers(() => { listening.onComplete(status); });
    };
    this.#options.gate(toIo('listen', [listening.path]), apply)
      .then((told) => { this.#deliver(told, () => { complete('ok'); }); }, (error: unknown) => { complete(codeOf(error)); });
  }

  #isWanted(listening: Listening): boolean {
    return [...this.#listeners.values()].includes(listening);
  }

  /** Listeners at or above a place that the server does not know yet. */
  #waitingFor(place: Path): Listening[] {
    return [...this.#listeners.values()].filter(({ started, path }) => !started && contains(path, place));
  }

  #start(listening: Listening): void {
    if (listening.started) return;
    listening.started = true;
    const node = this.#options.data.listen(listening);
    this.#tell(listening, { path: listening.path, merge: false, json: () => JSON.stringify(toJson(node, { export: true })) });
  }

  /** Puts news on their way; gives how many there have been with these. */
  #tell({ tag }: Listening, update: Update): number {
    const text = update.json();
    this.#news.push(() => { this.#options.onDataUpdate(formatPath(update.path), JSON.parse(text), update.merge, tag); });
    return ++this.#told;
  }

  #deliver(told: number, then?: () => void): void {
    this.#options.deliver(() => {
      this.#arrive(told);
      then?.();
    });
  }

  /** Lets the first so many news arrive, as far as they have not. */
  #arrive(told: number): void {
    while (this.#arrived < told) {
      this.#arrived++;
      withoutTimers(this.#news.shift()!);
    }
  }
}

function nameOf(query: SdkQuery): string {
  return `${query._path.toString()} ${query._queryIdentifier}`;
}

function toIo(kind: Io['kind'], paths: Path[]): Io {
  return { store: 'database', kind, paths: paths.map(formatPath), writes: kind !== 'get' && kind !== 'query' && kind !== 'listen' };
}

function attempt(write: () => unknown): { status: string; reason?: string } {
  try {
    write();
    return { status: 'ok' };
  } catch (error) {
    if (error instanceof StaleError) return { status: 'datastale' };
    if (error instanceof DataError) return { status: 'invalid_data', reason: error.message };
    throw error;
  }
}

/** How the SDK calls a request whose answer never came. */
function codeOf(error: unknown): string {
  return String((error as { code?: string | number }).code ?? 'disconnect');
}
