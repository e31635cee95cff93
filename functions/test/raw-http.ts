import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

/** What a request has beside its path. */
interface Parts {
  method?: string;
  body?: string;
}

/** Asks a server for a path as it stands, dots and all, which `fetch` would tidy up. Headers in a list may be there twice: each name is followed by its value. */
export async function askRaw(origin: string, path: string, headers: Record<string, string> | string[] = {}, { method = 'GET', body = '' }: Parts = {}): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  const { hostname, port, host } = new URL(origin);
  // Node leaves out what is needed beside a list.
  const all = Array.isArray(headers) ? [...headers, 'host', host, ...(body === '' ? [] : ['content-length', String(Buffer.byteLength(body))])] : headers;
  const sent = request({ hostname, port, path, headers: all, method }).end(body);
  const [response] = await once(sent, 'response') as [IncomingMessage];
  return { status: response.statusCode!, headers: response.headers, body: await text(response) };
}
