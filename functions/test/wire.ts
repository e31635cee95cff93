import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A line to a server that can be cut: what happens to a client whose phone goes into a tunnel. */
export interface Wire {
  /** The near end, for the client. */
  address: [host: string, port: string];
  /** Drops every socket at both ends, without any goodbye; new ones get through. */
  cut: () => void;
  close: () => void;
}

/** Lays a wire to a server. */
export async function wireTo([host, port]: [host: string, port: string]): Promise<Wire> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = (): void => sockets.forEach((socket) => socket.resetAndDestroy());
  return { address: ['127.0.0.1', String(address.port)], cut, close: () => {
    server.close();
    cut();
  } };
}
