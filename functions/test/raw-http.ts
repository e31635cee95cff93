import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** Asks a server for a path as it stands, dots and all, which `fetch` would tidy up. */
export async function askRaw(origin: string, path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(origin);
  const sent = request({ hostname, port, path, headers }).end();
  const [response] = await once(sent, 'response') as [IncomingMessage];
  return { status: response.statusCode!, body: await text(response) };
}
