import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A running stand-in for Secret Manager. */
export interface SecretServer {
  url: string;
  close: () => void;
}

/**
 * Answers the functions emulator's look-ups of secrets from the environment. Without it the emulator
 * asks the real Secret Manager for every secret that functions/.secret.local does not hold, on every
 * worker start. A secret without a value is empty, which the functions take for "no key". The address
 * holds a random part, so that only the emulator can ask, and nothing is written to disk.
 */
export async function serveSecrets(env: NodeJS.ProcessEnv): Promise<SecretServer> {
  const token = randomUUID();
  const route = new RegExp(`^/${token}/[^/]+/projects/[^/]+/secrets/([A-Za-z0-9_-]+)/versions/[^/]+:access$`);
  const server = createServer((request, response) => {
    const name = route.exec(request.url ?? '')?.[1];
    if (!name) {
      response.writeHead(404).end();
      return;
    }
    const data = Buffer.from(env[name] ?? '').toString('base64');
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ payload: { data } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/${token}`, close: () => server.close() };
}
