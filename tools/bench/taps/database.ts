import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { MessageCounter } from './websocket.ts';

/** What went by in one direction. */
export interface Passed {
  bytes: number;
  messages: number;
}

/** What went by: `down` from the database to who is connected, which Realtime Database bills as downloads. */
export type Traffic = Record<'down' | 'up', Passed>;

/** A place in front of the Realtime Database where its WebSockets are counted. */
export interface DatabaseTap {
  /** host:port to use in place of the emulator's. */
  readonly address: string;
  /** What went by since the last call. */
  take: () => Traffic;
  close: () => Promise<void>;
}

/** Opens a tap: whoever connects to it is connected to the emulator. */
export async function tapDatabase(emulator: string): Promise<DatabaseTap> {
  const [host = '', port = ''] = emulator.split(':');
  let traffic = noTraffic();
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), host);
    for (const [socket, other, direction] of [[client, upstream, 'up'], [upstream, client, 'down']] as const) {
      const messages = new MessageCounter();
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('data', (piece) => {
        const before = messages.count;
        messages.add(piece);
        traffic[direction].bytes += piece.length;
        traffic[direction].messages += messages.count - before;
      });
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    take: () => {
      const taken = traffic;
      traffic = noTraffic();
      return taken;
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function noTraffic(): Traffic {
  return { down: { bytes: 0, messages: 0 }, up: { bytes: 0, messages: 0 } };
}
