import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startMockVendor } from '../../../functions/test/vendors/server.ts';

// A process of its own: who plays the model must not take turns with who measures.

/** What the process tells its parent once it listens. */
export interface VendorAddresses {
  /** Origin that answers at once. */
  url: string;
  /** The same a while later, as a model that thinks. */
  slowUrl: string;
}

const thinkingMs = 1_500;

const vendor = await startMockVendor();
const { port } = new URL(vendor.url);
const slow = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    setTimeout(() => {
      const { method, url: path, headers } = request;
      httpRequest({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      }).on('error', () => response.destroy()).end(Buffer.concat(pieces));
    }, thinkingMs);
  });
});
await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
// The mock keeps every request for tests to look at; nobody does here.
setInterval(() => { (vendor.requests as unknown[]).length = 0; }, 200).unref();
process.on('disconnect', () => process.exit());
process.send?.({ url: vendor.url, slowUrl: `http://127.0.0.1:${(slow.address() as AddressInfo).port}` } satisfies VendorAddresses);
