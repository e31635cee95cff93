import { readFileSync } from 'node:fs';
import { connect, constants, createServer, type ClientHttp2Session, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ROOT } from '../../paths.ts';
import { noOperations, observe, plus, type Operations } from './operations.ts';
import { GrpcMessages } from './protobuf.ts';

/** A place in front of the Firestore emulator where everything that goes by is counted. */
export interface FirestoreTap {
  /** host:port to use in place of the emulator's. */
  readonly address: string;
  /** What went by since the last call. */
  take: () => Operations;
  close: () => Promise<void>;
}

/** Collections whose documents Firestore deletes by itself, from the indexes that are deployed. */
export function expiringCollections(file = join(ROOT, 'firestore.indexes.json')): ReadonlySet<string> {
  const { fieldOverrides } = JSON.parse(readFileSync(file, 'utf8')) as { fieldOverrides: { collectionGroup: string; ttl?: boolean }[] };
  return new Set(fieldOverrides.filter(({ ttl }) => ttl).map(({ collectionGroup }) => collectionGroup));
}

/** Opens a tap: an HTTP/2 server that hands every gRPC request on to the emulator and reads along. What uses it need not know, and the functions are the built ones. */
export async function tapFirestore(emulator: string): Promise<FirestoreTap> {
  let operations = noOperations();
  let problem: unknown;
  const expiring = expiringCollections();
  const sessions = new Set<ServerHttp2Session | ClientHttp2Session>();
  const server = createServer();
  server.on('session', (session) => {
    const upstream = connect(`http://${emulator}`);
    for (const one of [session, upstream]) {
      sessions.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sessions.delete(one);
        session.close();
        upstream.close();
      });
    }
    session.on('stream', (stream, headers) => {
      const counted = noOperations();
      relay(stream, headers, upstream, counted, expiring, () => { operations = plus(operations, counted); }, (error) => { problem = error; });
    });
  });
  await listen(server);
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => {
      if (problem !== undefined) throw problem instanceof Error ? problem : new Error('the tap failed');
      const taken = operations;
      operations = noOperations();
      return taken;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

function listen(server: Http2Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
}

/** Hands one request on; `done` comes when it has been answered in full, and before its caller hears of that. */
function relay(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, upstream: ClientHttp2Session, counted: Operations, expiring: ReadonlySet<string>, done: () => void, failed: (error: unknown) => void): void {
  // Without it the emulator's answers come uncompressed.
  const { 'grpc-accept-encoding': _encodings, ...asked } = headers;
  const attempt = <T>(act: () => T): T | undefined => {
    try {
      return act();
    } catch (error) {
      failed(error);
      return undefined;
    }
  };
  const observer = attempt(() => observe(String(headers[':path']).split('/').at(-1)!, counted, expiring));
  const [sent, received] = [new GrpcMessages(), new GrpcMessages()];
  const request = upstream.request(asked, { endStream: false });
  let trailers: IncomingHttpHeaders = {};
  const finish = (status: unknown): void => {
    attempt(() => observer?.end(Number(status ?? 2)));
    done();
  };
  stream.on('error', () => undefined);
  request.on('error', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR));
  stream.on('close', () => void (request.closed || request.close(constants.NGHTTP2_CANCEL)));
  stream.on('data', (piece: Buffer) => {
    attempt(() => { for (const message of sent.add(piece)) observer?.request(message); });
    request.write(piece);
  });
  stream.on('end', () => request.end());
  request.on('response', (answer, flags) => {
    const over = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    if (over) finish(answer['grpc-status']);
    if (!stream.destroyed) stream.respond(answer, over ? { endStream: true } : { waitForTrailers: true });
  });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  request.on('data', (piece: Buffer) => {
    attempt(() => { for (const message of received.add(piece)) observer?.response(message); });
    stream.write(piece);
  });
  request.on('trailers', (last: IncomingHttpHeaders) => {
    trailers = last;
    finish(last['grpc-status']);
  });
  request.on('end', () => void (stream.destroyed || stream.end()));
}
