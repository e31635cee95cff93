import { createServer, request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** An event that a function has taken. */
export interface Delivery {
  /** Name of the function. */
  target: string;
  /** Path of the document. */
  document: string;
  /** ms since the epoch when the function had answered. */
  doneAt: number;
}

/** A function that is to get the events of a document. */
export interface Trigger {
  target: string;
  /** Such as `google.cloud.firestore.document.v1.created`. */
  type: string;
  /** Path of the documents, with names in braces. */
  document: string;
}

/** Hands the events of the Firestore emulator to instances, as Eventarc does: the functions emulator would start a process for each. */
export interface Events {
  /** host:port that the emulator is to post to. */
  readonly address: string;
  /** From now on the events of these triggers come. */
  register: (firestoreUrl: string, projectId: string, triggers: Trigger[]) => Promise<void>;
  /** Where each function is served from now on; events of others are dropped. */
  route: (instances: Record<string, { url: string }>) => void;
  /** Told of every event once its function has answered, until the next call. */
  listen: (listener: (delivery: Delivery) => void) => void;
  /** Events on their way. */
  readonly pending: number;
  close: () => void;
}

/** As often as a failing event is delivered: enough for a lost race. */
const attempts = 6;
const retryAfterMs = 200;

/** The part of {@link Events} that does not care where they come from. */
export interface Deliveries extends Pick<Events, 'route' | 'listen' | 'pending'> {
  /** Posts an event to the instance of its function, until that takes it. */
  deliver: (target: string, headers: OutgoingHttpHeaders, body: Buffer) => void;
}

/** Delivers events, to nobody yet. */
export function createDeliveries(): Deliveries {
  let instances: Record<string, { url: string }> = {};
  let listener: (delivery: Delivery) => void = () => undefined;
  let pending = 0;
  const attempt = async (target: string, headers: OutgoingHttpHeaders, body: Buffer): Promise<void> => {
    for (let count = 1; ; count++) {
      const instance = instances[target];
      if (!instance) return;
      const status = await post(instance.url, headers, body);
      if (status < 300) return listener({ target, document: String(headers['ce-document']), doneAt: Date.now() });
      if (count === attempts) throw new Error(`${target} answered ${status} to an event ${attempts} times`);
      await delay(retryAfterMs);
    }
  };
  return {
    route: (next) => { instances = next; },
    listen: (next) => { listener = next; },
    get pending() {
      return pending;
    },
    deliver: (target, headers, body) => {
      pending++;
      attempt(target, headers, body).catch((error: unknown) => console.error(error)).finally(() => { pending--; });
    },
  };
}

/** Starts to take events from an emulator that posts them here. */
export async function createEvents(): Promise<Events> {
  const deliveries = createDeliveries();
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      response.end('{}');
      const { 'content-length': _length, host: _host, connection: _connection, ...headers } = request.headers;
      // The emulator sends the message as base64.
      deliveries.deliver(request.url!.split('/').at(-1)!, headers, Buffer.from(Buffer.concat(pieces).toString(), 'base64'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return {
    ...deliveries,
    get pending() {
      return deliveries.pending;
    },
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    register: async (firestoreUrl, projectId, triggers) => {
      for (const { target, type, document } of triggers) {
        const answer = await fetch(`${firestoreUrl}/emulator/v1/projects/${projectId}/eventarcTrigger?eventarcTriggerId=${target}`, {
          method: 'POST', headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ eventType: type, database: '(default)', namespace: '(default)', document: { value: document, matchType: 'PATH_PATTERN' } }),
        });
        if (!answer.ok) throw new Error(`the Firestore emulator refuses the trigger ${target}: ${answer.status}`);
      }
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function post(url: string, headers: OutgoingHttpHeaders, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { method: 'POST', headers: { ...headers, 'content-length': body.length } }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 500));
    }).on('error', reject).end(body);
  });
}
