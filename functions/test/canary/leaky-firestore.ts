import { once } from 'node:events';
import { createServer, type Http2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** Starts a database on this machine that refuses everything, in words that hold `leak`: the worst that a message of an unexpected error can be. */
export async function startLeakyFirestore(leak: string): Promise<{ host: string; close: () => void }> {
  const sessions = new Set<Http2Session>();
  const server = createServer();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    // 7: PERMISSION_DENIED, which no SDK tries again.
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '7', 'grpc-message': encodeURIComponent(`refused with ${leak}`) }, { endStream: true });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.close();
      sessions.forEach((session) => session.destroy());
    },
  };
}
