import { once } from 'node:events';
import { request, type Agent, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
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

/** A request; a GET of `/` unless it says otherwise. */
export interface Sent {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** As it came, not unpacked. */
  bytes: Buffer;
}

/** Sends a request as it is: nothing is added, unpacked or repeated. */
export async function sendRaw({ url }: { url: string }, { method = 'GET', path = '/', headers = {}, body }: Sent, agent: Agent | false = false): Promise<Answer> {
  const sent = request(`${url}${path}`, { method, headers, agent });
  sent.end(body);
  const [answer] = await once(sent, 'response') as [IncomingMessage];
  return { status: answer.statusCode!, headers: answer.headers, bytes: Buffer.concat(await answer.toArray() as Buffer[]) };
}
