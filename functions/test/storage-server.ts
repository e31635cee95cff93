import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { crc32c } from './crc32c.ts';
import { faultOf, type Signer } from './signed-urls.ts';

/** An object as it is stored. */
export interface StoredObject {
  bytes: Buffer;
  metadata: { contentType?: string; cacheControl?: string };
  generation: number;
}

/** What becomes of a request: an answer without doing what it asks for; `lost`: it is done, and the connection breaks before the answer; `damaged`: other bytes arrive than were sent. */
export type Fault = { status: number } | 'lost' | 'damaged';

interface Handled {
  status: number;
  body?: object;
}

const reasons: Record<number, string> = { 400: 'invalid', 403: 'forbidden', 404: 'notFound', 412: 'conditionNotMet', 429: 'rateLimitExceeded', 503: 'backendError' };

/**
 * The part of the Cloud Storage JSON API that kept media need, with one bucket in memory: multipart uploads, lists by
 * prefix in pages, deletions, and reads by V4 signed URLs, which it checks
 * (https://cloud.google.com/storage/docs/json_api/v1/objects).
 */
export class StorageServer {
  readonly objects = new Map<string, StoredObject>();
  /** Every API request so far, as `METHOD path?query`. */
  readonly requests: string[] = [];
  /** Faults that the next requests meet, in their order; null lets one pass. */
  readonly faults: (Fault | null)[] = [];
  /** Most objects on a page. */
  pageSize = 1_000;
  /** How far (ms) this clock is ahead, for reads by signed URLs. */
  ahead = 0;
  private generations = 0;
  private readonly bucket: string;
  private readonly signer: Signer;
  private readonly server: Server;

  constructor(bucket: string, signer: Signer) {
    this.bucket = bucket;
    this.signer = signer;
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  /** Starts it; answers its address. */
  async listen(): Promise<string> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const body = await buffer(request);
    if (url.searchParams.has('X-Goog-Signature')) return this.read(url, response);
    this.requests.push(`${request.method} ${url.pathname}${url.search}`);
    const fault = this.faults.shift() ?? null;
    const answer = typeof fault === 'object' && fault !== null ? { status: fault.status } : this.handle(request, url, body);
    if (fault === 'lost') return void response.destroy();
    const damaged = fault === 'damaged' ? { ...answer.body, crc32c: crc32c(Buffer.from('other bytes')) } : answer.body;
    const { status } = answer;
    const error = { code: status, message: `This is answered with ${status}.`, errors: [{ domain: 'global', reason: reasons[status] ?? 'invalid', message: '' }] };
    response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8' }).end(status === 204 ? undefined : JSON.stringify(status < 300 ? damaged : { error }));
  }

  private handle({ method, headers }: IncomingMessage, url: URL, body: Buffer): Handled {
    // The SDK leaves `/storage/v1` out when STORAGE_EMULATOR_HOST names the server.
    const [, upload, bucket = '', name] = /^(\/upload)?(?:\/storage\/v1)?\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    if (decodeURIComponent(bucket) !== this.bucket) return { status: 404 };
    if (method === 'POST' && upload && url.searchParams.get('uploadType') === 'multipart') return this.insert(url, headers['content-type'] ?? '', body);
    if (method === 'GET' && name === undefined) return this.list(url);
    if (method === 'DELETE' && name !== undefined) return { status: this.objects.delete(decodeURIComponent(name)) ? 204 : 404 };
    return { status: 400 };
  }

  private insert(url: URL, contentType: string, body: Buffer): Handled {
    const name = url.searchParams.get('name');
    const [head, media] = partsOf(body, /boundary="?([^";]+)/.exec(contentType)?.[1] ?? '');
    if (name === null || !head || !media) return { status: 400 };
    const metadata = JSON.parse(head.content.toString()) as StoredObject['metadata'];
    const contentTypeOfMedia = /^content-type: (.*)$/im.exec(media.head)?.[1]?.trim();
    const object = { bytes: media.content, metadata: { ...metadata, contentType: metadata.contentType ?? contentTypeOfMedia ?? 'application/octet-stream' }, generation: ++this.generations };
    this.objects.set(name, object);
    return { status: 200, body: this.resourceOf(name, object) };
  }

  private list(url: URL): Handled {
    const [prefix, token] = [url.searchParams.get('prefix') ?? '', url.searchParams.get('pageToken')];
    const last = token === null ? '' : Buffer.from(token, 'base64').toString();
    const found = [...this.objects].filter(([name]) => name.startsWith(prefix) && name > last).sort(([a], [b]) => (a < b ? -1 : 1));
    const size = Math.min(this.pageSize, Number(url.searchParams.get('maxResults') ?? 1_000));
    const page = found.slice(0, size);
    const nextPageToken = found.length > size ? { nextPageToken: Buffer.from(page.at(-1)![0]).toString('base64') } : {};
    return { status: 200, body: { kind: 'storage#objects', ...(page.length === 0 ? {} : { items: page.map(([name, object]) => this.resourceOf(name, object)) }), ...nextPageToken } };
  }

  private resourceOf(name: string, { bytes, metadata, generation }: StoredObject): object {
    return {
      kind: 'storage#object', id: `${this.bucket}/${name}/${generation}`, name, bucket: this.bucket, generation: String(generation), metageneration: '1', ...metadata, size: String(bytes.length),
      md5Hash: createHash('md5').update(bytes).digest('base64'), crc32c: crc32c(bytes),
    };
  }

  /** As the XML API does: an address is checked before anything is said of its object. */
  private read(url: URL, response: ServerResponse): void {
    const fault = faultOf(url, this.signer, Date.now() + this.ahead);
    const [, bucket, ...path] = decodeURIComponent(url.pathname).split('/');
    const object = bucket === this.bucket ? this.objects.get(path.join('/')) : undefined;
    const status = fault === 'expired' ? 400 : fault ? 403 : object ? 200 : 404;
    const { contentType, cacheControl } = object?.metadata ?? {};
    const headers = status === 200 ? { ...(contentType ? { 'content-type': contentType } : {}), ...(cacheControl ? { 'cache-control': cacheControl } : {}) } : { 'content-type': 'application/xml; charset=UTF-8' };
    response.writeHead(status, headers).end(status === 200 ? object!.bytes : `<?xml version='1.0'?><Error><Code>${fault ?? 'NoSuchKey'}</Code></Error>`);
  }
}

interface Part {
  head: string;
  content: Buffer;
}

/** The parts of a multipart body (RFC 2046). */
function partsOf(body: Buffer, boundary: string): Part[] {
  const parts: Part[] = [];
  const mark = Buffer.from(`--${boundary}`);
  for (let at = body.indexOf(mark); at >= 0; ) {
    const next = body.indexOf(mark, at + mark.length);
    if (next < 0) break;
    const part = body.subarray(at + mark.length + 2, next - 2);
    const blank = part.indexOf('\r\n\r\n');
    if (blank >= 0) parts.push({ head: part.subarray(0, blank).toString(), content: part.subarray(blank + 4) });
    at = next;
  }
  return parts;
}
