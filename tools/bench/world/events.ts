import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
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
  /** Makes the emulator post the events of these triggers. */
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

/** Starts to take events. */
export async function createEvents(): Promise<Events> {
  let instances: Record<string, { url: string }> = {};
  let listener: (delivery: Delivery) => void = () => undefined;
  let pending = 0;
  const deliver = async (target: string, headers: IncomingMessage['headers'], body: Buffer): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      const instance = instances[target];
      if (!instance) return;
      const status = await post(instance.url, headers, body);
      if (status < 300) return listener({ target, document: String(headers['ce-document']), doneAt: Date.now() });
      if (attempt === attempts) throw new Error(`${target} answered ${status} to an event ${attempts} times`);
      await delay(retryAfterMs);
    }
  };
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      response.end('{}');
      pending++;
      const target = request.url!.split('/').at(-1)!;
      const { 'content-length': _length, host: _host, connection: _connection, ...headers } = request.headers;
      // The emulator sends the message as base64.
      deliver(target, headers, Buffer.from(Buffer.concat(pieces).toString(), 'base64'))
        .catch((error: unknown) => console.error(error))
        .finally(() => { pending--; });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return {
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
    route: (next) => { instances = next; },
    listen: (next) => { listener = next; },
    get pending() {
      return pending;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

function post(url: string, headers: IncomingMessage['headers'], body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    httpRequest(url, { method: 'POST', headers: { ...headers, 'content-length': body.length } }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 500));
    }).on('error', reject).end(body);
  });
}
