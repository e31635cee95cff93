/** The server: one port for WebSockets and HTTP. */

import { createServer } from 'node:http';
import { Socket, type AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { Connection } from './connection.ts';
import { Databases } from './databases.ts';
import { databaseName, handleHttp } from './http.ts';
import type { FunctionsAddress } from './triggers.ts';

/** Where to listen, and where to send events. */
export interface EmulatorOptions {
  host: string;
  /** 0 picks a free port. */
  port: number;
  functions?: FunctionsAddress | null;
}

/** A server that is running. */
export interface DatabaseEmulator {
  readonly host: string;
  readonly port: number;
  readonly databases: Databases;
  /** Drops all connections and frees the port. */
  close(): Promise<void>;
}

/** Starts a server; the promise fails when the port cannot be had. */
export async function startDatabaseEmulator(options: EmulatorOptions): Promise<DatabaseEmulator> {
  const databases = new Databases(options.functions ?? null);
  const server = createServer((request, response) => { void handleHttp(databases, request, response); });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const url = URL.parse(request.url ?? '/', 'http://localhost');
    if (url?.pathname !== '/.ws') {
      socket.on('error', () => { socket.destroy(); });
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      return;
    }
    // Small messages must not wait for one another.
    if (socket instanceof Socket) socket.setNoDelay(true);
    sockets.handleUpgrade(request, socket, head, (client) => {
      new Connection(client, databases.get(databaseName(url)), request.headers.host ?? options.host);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const close = async (): Promise<void> => {
    databases.triggers.stop();
    const closed = new Promise<void>((resolve) => { server.close(() => { resolve(); }); });
    for (const client of sockets.clients) client.terminate();
    server.closeAllConnections();
    await closed;
  };
  return { host: options.host, port: (server.address() as AddressInfo).port, databases, close };
}
