import assert from 'node:assert/strict';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { isFree, readAddresses, requireFreePorts } from './ports.ts';

async function listening<T extends Server>(server: T): Promise<{ server: T; address: { host: string; port: number } }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } };
}

describe('ports', () => {
  it('reads one address for each emulator of firebase.json', () => {
    const addresses = readAddresses();
    assert.equal(new Set(Object.values(addresses).map(({ port }) => port)).size, 9);
  });

  it('names the emulator that has no port', () => {
    assert.throws(() => readAddresses('{"emulators":{}}'), /no port for the auth emulator/);
  });

  it('tells in one line which port of which emulator is taken', async () => {
    const { server, address } = await listening(createServer());
    const free = { host: '127.0.0.1', port: 0 };
    await assert.rejects(requireFreePorts({ auth: free, firestore: address }), (error: Error) => {
      assert.match(error.message, new RegExp(`^Port ${address.port} of the firestore emulator is taken .*emulators\\.firestore\\.port in firebase\\.json\\.$`));
      return true;
    });
    server.close();
    await new Promise((resolve) => server.once('close', resolve));
    assert(await isFree(address));
  });

  it('recognises a suite that is already running', async () => {
    const { server, address } = await listening(createHttpServer((_, response) => response.end('{"pid":4711}')));
    await assert.rejects(requireFreePorts({ hub: address }), /already running \(process 4711\): stop it with Ctrl-C/);
    server.close();
  });
});
