import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { mostOversizedBytes, type VendorMode } from './script.ts';
import type { MockVendor } from './server.ts';
import { spokenMp3 } from './speech.ts';

// https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
const errors: Partial<Record<VendorMode, [code: number, message: string]>> = {
  'bad-key': [3, 'API key not valid. Please pass a valid API key.'],
  unauthorized: [16, 'Request had invalid authentication credentials.'],
  forbidden: [7, 'Cloud Text-to-Speech API has not been used in project before or it is disabled.'],
  'missing-model': [5, 'Voice not found.'],
  'bad-media': [3, 'Voice does not exist. Is it misspelled?'],
  busy: [8, 'Quota exceeded.'],
  broken: [13, 'An internal error has occurred.'],
};

const ok = { ':status': 200, 'content-type': 'application/grpc' };

/**
 * Starts a Cloud Text-to-Speech on this machine: gRPC over HTTP/2 without TLS, one call. Its errors repeat the key and the
 * whole request.
 */
export async function startMockCloudSpeech(mode: VendorMode = 'ok'): Promise<MockVendor> {
  const { protos } = await import('@google-cloud/text-to-speech');
  const { SynthesizeSpeechRequest, SynthesizeSpeechResponse } = protos.google.cloud.texttospeech.v1;
  let waiting: Parameters<ConstructorParameters<typeof Promise<MockVendor['requests'][number]>>[0]>[0][] = [];
  const handle = async (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    let whole = false;
    // The connection, not only the call on it.
    const closed = new Promise<boolean>((resolve) => stream.session?.on('close', () => resolve(whole)));
    const pieces: Buffer[] = [];
    for await (const piece of stream) pieces.push(piece as Buffer);
    const body = SynthesizeSpeechRequest.decode(Buffer.concat(pieces).subarray(5)).toJSON();
    const record = { method: 'POST', path: String(headers[':path']), headers, body, closed };
    vendor.requests.push(record);
    const leak = `key=${String(headers['x-goog-api-key'] ?? headers.authorization)} request=${JSON.stringify(body)}`;
    const sound = (audioContent: Uint8Array) => message(SynthesizeSpeechResponse.encode({ audioContent }).finish());
    const played = play(stream, vendor, leak, sound).then((sent) => { whole = sent; });
    waiting.forEach((resolve) => resolve(record));
    waiting = [];
    await played;
  };
  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    handle(stream, headers).catch(() => stream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const vendor: MockVendor = {
    url,
    mode,
    redirectTo: url,
    requests: [],
    next: () => new Promise((resolve) => waiting.push(resolve)),
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      sessions.forEach((session) => session.destroy());
    }),
  };
  return vendor;
}

/** A message as gRPC frames it. */
function message(bytes: Uint8Array, length = bytes.length): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

/** Answers as the mode says; true when the answer was sent whole. */
async function play(stream: ServerHttp2Stream, { mode, redirectTo }: MockVendor, leak: string, sound: (bytes: Uint8Array) => Buffer): Promise<boolean> {
  const error = errors[mode];
  if (error) {
    stream.respond({ ...ok, 'grpc-status': String(error[0]), 'grpc-message': encodeURIComponent(`${error[1]} ${leak}`) }, { endStream: true });
    return true;
  }
  if (mode === 'slow') return false;
  if (mode === 'redirect') {
    stream.respond({ ':status': 307, location: redirectTo }, { endStream: true });
    return true;
  }
  stream.respond(ok, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  const answer = sound(answers[mode] ?? spokenMp3);
  const part = answer.subarray(0, answer.length / 2);
  if (mode === 'stalled') stream.write(part);
  else if (mode === 'half') stream.end(part);
  else if (mode === 'cut') stream.write(part, () => stream.session?.destroy());
  else if (mode === 'garbage') stream.end(message(Buffer.from([0xff, 0xff, 0xff])));
  else if (mode === 'oversized') await flood(stream);
  else stream.end(answer);
  return !['stalled', 'half', 'cut', 'oversized'].includes(mode);
}

const answers: Partial<Record<VendorMode, Buffer>> = { empty: Buffer.alloc(0), 'wrong-counts': Buffer.from('OggS with another sound') };

async function flood(stream: ServerHttp2Stream): Promise<void> {
  stream.write(message(Buffer.alloc(0), mostOversizedBytes));
  const piece = Buffer.alloc(60_000);
  for (let sent = 0; sent < mostOversizedBytes && !stream.destroyed; sent += piece.length) {
    if (!stream.write(piece)) await Promise.race([once(stream, 'drain'), once(stream, 'close')]);
  }
  stream.end();
}
