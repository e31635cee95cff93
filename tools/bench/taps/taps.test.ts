import assert from 'node:assert/strict';
import { billedIn, noOperations, observe, plus, readsIn, requestsIn, type Operations } from './operations.ts';
import { all, fieldsOf, first, GrpcMessages } from './protobuf.ts';
import { MessageCounter } from './websocket.ts';

/** A field of a protobuf message that holds text, bytes or another message. */
function field(number: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

const grpc = (message: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0, 0, message.length >> 8, message.length & 255]), message]);
const name = (path: string): string => `projects/p/databases/(default)/documents/${path}`;

describe('what the taps read', () => {
  it('takes protobuf messages apart, fields it does not know included', () => {
    const message = Buffer.concat([varint(1 * 8), varint(300), field(2, 'x'.repeat(200)), varint(3 * 8 + 5), Buffer.alloc(4), varint(4 * 8 + 1), Buffer.alloc(8), field(2, 'again')]);
    assert.deepEqual([...fieldsOf(message)].map(({ number }) => number), [1, 2, 3, 4, 2]);
    assert.equal([...fieldsOf(message)][0]!.value, 300);
    assert.deepEqual(all(message, 2).map(String), ['x'.repeat(200), 'again']);
    assert.equal(first(message, 9), null);
    assert.throws(() => [...fieldsOf(Buffer.from([0x0b]))], /wire type 3/);
  });

  it('cuts a stream into its messages, however its pieces are cut', () => {
    const stream = Buffer.concat([grpc(Buffer.from('one')), grpc(Buffer.from('')), grpc(Buffer.from('three'))]);
    for (const size of [1, 2, 7, stream.length]) {
      const messages = new GrpcMessages();
      const seen: string[] = [];
      for (let at = 0; at < stream.length; at += size) for (const message of messages.add(stream.subarray(at, at + size))) seen.push(String(message));
      assert.deepEqual(seen, ['one', '', 'three']);
    }
  });

  it('counts the messages of a WebSocket, masked and long ones, and no signs of life', () => {
    const handshake = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n');
    const short = Buffer.from([0x81, 2, 104, 105]);
    const long = Buffer.concat([Buffer.from([0x81, 126, 1, 0]), Buffer.alloc(256)]);
    const masked = Buffer.concat([Buffer.from([0x81, 0x80 + 3]), Buffer.alloc(4 + 3)]);
    const ping = Buffer.from([0x89, 0]);
    const stream = Buffer.concat([handshake, short, ping, long, masked]);
    for (const size of [1, 5, stream.length]) {
      const counter = new MessageCounter();
      for (let at = 0; at < stream.length; at += size) counter.add(stream.subarray(at, at + size));
      assert.equal(counter.count, 3);
    }
  });
});

describe('what Firestore bills', () => {
  const expiring = new Set(['outbox']);
  const counted = (method: string, requests: Buffer[], responses: Buffer[] = [], status = 0): Operations => {
    const operations = noOperations();
    const observer = observe(method, operations, expiring);
    requests.forEach(observer.request);
    responses.forEach(observer.response);
    observer.end(status);
    return operations;
  };

  it('is every document that is asked for by name, missing ones too', () => {
    const operations = counted('BatchGetDocuments', [Buffer.concat([field(1, 'database'), field(2, name('users/a')), field(2, name('users/b'))])]);
    assert.deepEqual([operations.gets, billedIn(operations), requestsIn(operations)], [2, 2, 1]);
  });

  it('is every write and delete, and what a time-to-live deletes later of what is created', () => {
    const write = (path: string, ...more: Buffer[]): Buffer => field(2, Buffer.concat([field(1, field(1, name(path))), ...more]));
    const [mask, mustExist, mustNot] = [field(3, field(1, 'published')), field(4, Buffer.from([8, 1])), field(4, Buffer.from([8, 0]))];
    const operations = counted('Commit', [Buffer.concat([
      write('outbox/created', mustNot), write('outbox/set'), write('outbox/updated', mask, mustExist), write('sessions/s', mustNot), field(2, field(2, name('outbox/gone'))),
    ])]);
    assert.deepEqual([operations.writes, operations.deletes, operations.expiring, operations.refused], [4, 1, 2, 0]);
    assert.equal(billedIn(operations), 7);
  });

  it('tells commits that were refused', () => assert.equal(counted('Commit', [], [], 9).refused, 1));

  it('is every document that a query delivers, and one read for a query that delivers none', () => {
    const request = Buffer.concat([field(1, 'parent'), field(2, field(2, field(2, 'sessions')))]);
    const found = field(1, field(1, name('sessions/s')));
    const many = counted('RunQuery', [request], [found, found, field(3, 'read time')]);
    assert.deepEqual([many.queried, many.emptyQueries, readsIn(many)], [{ sessions: 2 }, 0, 2]);
    const none = counted('RunQuery', [request], [field(3, 'read time')]);
    assert.deepEqual([none.queried, none.emptyQueries, readsIn(none)], [{}, 1, 1]);
    assert.deepEqual(plus(many, none).requests, { RunQuery: 2 });
  });

  it('is not guessed for a method that nobody thought of', () => assert.throws(() => counted('Listen', []), /Listen/));
});
