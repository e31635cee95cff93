import assert from 'node:assert/strict';
import { operations } from '../src/operations.ts';
import type { ErrorCode, ErrorReason } from '../src/runtime/errors.ts';
import { callWire, refusedWith, snapshotOf } from './evidence.ts';
import { frames } from './frames.ts';
import { admin, clientOf, closeClients, eventually, givePlayer, refusal, type Client, type Player } from './harness.ts';

after(closeClients);

const signedIn = Object.values(operations).filter(({ access }) => access !== 'public').map(({ name }) => name);
const base64 = (bytes: Buffer | string): string => Buffer.from(bytes).toString('base64');
const jpeg = Buffer.from(frames[0]!, 'base64');

/** A PNG of which only the header exists. */
function pngHeader(width: number, height: number): string {
  const bytes = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(25)]);
  bytes.writeUInt32BE(13, 8);
  bytes.write('IHDR', 12, 'latin1');
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  bytes.set([8, 6, 0, 0, 0], 24);
  return base64(bytes);
}

/** A WAV with a correct header and no samples. */
function emptyWav(): string {
  const header = Buffer.from('RIFF\0\0\0\0WAVEfmt \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0data\0\0\0\0', 'latin1');
  header.writeUInt32LE(36, 4);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(16_000, 24);
  header.writeUInt32LE(32_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  return base64(header);
}

/** Ids that point elsewhere, or that no id of this system looks like. */
const wrongIds: [string, unknown][] = [
  ['a slash', 'a/b'], ['a path', '../../config/server'], ['a dot', 'a.b'], ['two dots', '..'], ['nothing in it', ''], ['a space', 'a b'], ['65 characters', 'x'.repeat(65)],
  ['a line break', 'abc\n'], ['a null byte', 'a\0b'], ['brackets', '[a]'], ['a dollar sign', '$a'], ['a hash', 'a#b'], ['a letter beyond ASCII', 'ägent'], ['a percent code', 'a%2Fb'],
  ['a number', 7], ['null', null], ['a list', ['a']], ['an object', { id: 'a' }], ['true', true],
];

/** Whole positive numbers are wanted; none of these is one that the wire can carry. */
const wrongNumbers: [string, unknown][] = [
  ['zero', 0], ['negative', -1], ['fractional', 1.5], ['huge', 1e300], ['beyond safe integers', 2 ** 53], ['text', '2'], ['a list', [2]], ['an object', {}], ['true', true],
];

interface Case {
  what: string;
  operation: string;
  /** The input, or its JSON text where the client SDK could not send it. */
  input: () => unknown;
  wire?: boolean;
  code: ErrorCode;
  reason: ErrorReason;
  /** Field that the error names. */
  path?: string;
  message?: RegExp;
  /** It is found out by the provider, after the turn began: times and the stream may show it, money may not. */
  late?: boolean;
}

const badInput = { code: 'invalid-argument', reason: 'bad_input' } as const;
const badMedia = { code: 'invalid-argument', reason: 'bad_media' } as const;
const notFound = { code: 'not-found', reason: 'not_found' } as const;


/** The players of this file; made before its tests run. */
let player: Player;
let administrator: Client;
let stranger: Player;
let sessionId: string;
let foreignSession: string;
let secondAgent: string;

const frame = (fields: Record<string, unknown>): Record<string, unknown> => ({ sessionId, requestId: 'bad', ...fields });
const instruction = (fields: Record<string, unknown>): Record<string, unknown> => frame({ instruction: 'Hello', ...fields });

function onFrame(what: string, fields: () => Record<string, unknown>, answer: Pick<Case, 'code' | 'reason'> & Partial<Case>): Case {
  return { what, operation: 'processFrame', input: fields, ...answer };
}

// All other shapes are made up from the schemas, see fuzz.test.ts.
const shapes: Case[] = Object.keys(operations).map((operation) => ({ what: 'the key __proto__', operation, input: () => '{"__proto__":{"admin":true}}', wire: true, ...badInput, message: /Unrecognized key/ }));

const ids: Case[] = wrongIds.flatMap(([what, id]) => [
  { what: `an id with ${what}`, operation: 'getSession', input: () => ({ sessionId: id }), ...badInput, path: 'sessionId' },
  { what: `an id with ${what}`, operation: 'endSession', input: () => ({ sessionId: id }), ...badInput, path: 'sessionId' },
  { what: `a sessionId with ${what}`, operation: 'processFrame', input: () => instruction({ sessionId: id }), ...badInput, path: 'sessionId' },
  { what: `a requestId with ${what}`, operation: 'processFrame', input: () => instruction({ requestId: id }), ...badInput, path: 'requestId' },
  { what: `an id with ${what}`, operation: 'startSession', input: () => ({ agentInstanceId: id }), ...badInput, path: 'agentInstanceId' },
  { what: `an id with ${what}`, operation: 'renameAgent', input: () => ({ agentInstanceId: id, customName: 'x' }), ...badInput, path: 'agentInstanceId' },
]);

// Firestore reserves them: asked for one, it throws.
const reservedIds: Case[] = ['__proto__', '__all__', '__id7__'].flatMap((id) => [
  { what: `the reserved id ${id}`, operation: 'getSession', input: () => `{"sessionId":"${id}"}`, wire: true, ...badInput, path: 'sessionId' },
  { what: `the reserved id ${id}`, operation: 'endSession', input: () => `{"sessionId":"${id}"}`, wire: true, ...badInput, path: 'sessionId' },
  { what: `the reserved id ${id}`, operation: 'processFrame', input: () => instruction({ sessionId: id }), ...badInput, path: 'sessionId' },
  { what: `the reserved id ${id}`, operation: 'startSession', input: () => ({ agentInstanceId: id }), ...badInput, path: 'agentInstanceId' },
  { what: `the reserved id ${id}`, operation: 'renameAgent', input: () => ({ agentInstanceId: id, customName: 'x' }), ...badInput, path: 'agentInstanceId' },
]);

const numbers: Case[] = [
  ...wrongNumbers.flatMap(([what, value]): Case[] => [
    { what: `a limit that is ${what}`, operation: 'listMySessions', input: () => ({ limit: value }), ...badInput, path: 'limit' },
    { what: `a generation that is ${what}`, operation: 'processFrame', input: () => instruction({ generation: value }), ...badInput, path: 'generation' },
  ]),
  { what: 'a limit above 100', operation: 'listMySessions', input: () => ({ limit: 101 }), ...badInput, path: 'limit' },
  { what: 'an infinite limit', operation: 'listMySessions', input: () => '{"limit":1e999}', wire: true, ...badInput, path: 'limit' },
  { what: 'an infinite generation', operation: 'processFrame', input: () => `{"sessionId":"${sessionId}","requestId":"bad","instruction":"Hello","generation":1e999}`, wire: true, ...badInput, path: 'generation' },
  onFrame('the generation of another client', () => instruction({ generation: 2 }), { code: 'failed-precondition', reason: 'session_superseded' }),
];

const cursors: Case[] = [
  ['no base64', '!!!'], ['nothing in it', ''], ['other text', base64('what is this')], ['a negative time', base64('-5:abc')], ['a path', base64('1700000000000:../x')],
  ['a time after the year 9999', base64('253402300800000:abc')], ['the latest time it can hold', base64('999999999999999:abc')], ['too many digits', base64('9999999999999999:abc')],
  ['no status', base64('1700000000000:abc')], ['an unknown status', `b${base64('1700000000000:abc')}`], ['a path behind a status', `a${base64('1700000000000:../x')}`],
].map(([what, cursor]) => ({ what: `a forged cursor: ${what}`, operation: 'listMySessions', input: () => ({ cursor }), ...badInput }));

const frameCases: Case[] = [
  onFrame('nothing to process', () => frame({}), { ...badInput, message: /at least one of frameData, audioData and instruction/ }),
  onFrame('no requestId', () => ({ sessionId, instruction: 'Hello' }), { ...badInput, path: 'requestId' }),
  onFrame('no sessionId', () => ({ requestId: 'bad', instruction: 'Hello' }), { ...badInput, path: 'sessionId' }),
  onFrame('an unknown key beside good ones', () => instruction({ price: 0 }), { ...badInput, message: /price/ }),
  onFrame('the owner as a key', () => instruction({ ownerId: stranger.uid }), { ...badInput, message: /ownerId/ }),
  ...[['a number', 5], ['an object', { data: frames[0] }], ['a list', [frames[0]]], ['true', true], ['an empty text', '']].flatMap(([what, value]): Case[] => [
    onFrame(`a frame that is ${what as string}`, () => frame({ frameData: value }), { ...badInput, path: 'frameData' }),
    onFrame(`audio that is ${what as string}`, () => frame({ audioData: value }), { ...badInput, path: 'audioData' }),
    onFrame(`an instruction that is ${what as string}`, () => frame({ instruction: value }), { ...badInput, path: 'instruction' }),
  ]),
  onFrame('an instruction of spaces', () => frame({ instruction: ' \n\t ' }), { ...badInput, path: 'instruction' }),
  onFrame('an instruction above the limit', () => frame({ instruction: 'x'.repeat(4_001) }), { ...badInput, message: /4000 characters/ }),
  onFrame('an instruction far above the limit', () => frame({ instruction: 'x'.repeat(20_001) }), { ...badInput, path: 'instruction' }),
  onFrame('text instead of a picture', () => frame({ frameData: base64('I am no picture, only text.') }), { ...badMedia, message: /not a JPEG, PNG or WebP/ }),
  onFrame('a GIF', () => frame({ frameData: base64(Buffer.from('R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=', 'base64')) }), { ...badMedia, message: /not a JPEG, PNG or WebP/ }),
  onFrame('a page of SVG', () => frame({ frameData: base64('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>') }), { ...badMedia, message: /not a JPEG, PNG or WebP/ }),
  onFrame('the first bytes of a JPEG', () => frame({ frameData: base64(jpeg.subarray(0, 12)) }), { ...badMedia, message: /cannot be read/ }),
  onFrame('the magic bytes of a JPEG before text', () => frame({ frameData: base64(Buffer.concat([jpeg.subarray(0, 3), Buffer.from('only text from here on')])) }), { ...badMedia, message: /cannot be read/ }),
  onFrame('half a JPEG', () => frame({ frameData: base64(jpeg.subarray(0, jpeg.length / 2)) }), { ...badMedia, message: /damaged/, late: true }),
  onFrame('a picture above the limit of bytes', () => frame({ frameData: base64(Buffer.concat([jpeg, Buffer.alloc(2_000_001 - jpeg.length)])) }), { ...badMedia, message: /at most 2000000 bytes/ }),
  onFrame('a picture above what is parsed at all', () => frame({ frameData: 'A'.repeat(12_000_001) }), { ...badInput, path: 'frameData' }),
  onFrame('a PNG that claims 50000 by 50000 pixels', () => frame({ frameData: pngHeader(50_000, 50_000) }), { ...badMedia, message: /too large: at most \d+ pixels/ }),
  onFrame('a PNG that claims the most there is', () => frame({ frameData: pngHeader(0xffffffff, 0xffffffff) }), { ...badMedia, message: /too large: at most \d+ pixels/ }),
  onFrame('a PNG without pixels', () => frame({ frameData: pngHeader(0, 0) }), { ...badMedia, message: /cannot be read/ }),
  onFrame('a PNG that is only a header', () => frame({ frameData: pngHeader(9, 9) }), { ...badMedia, message: /damaged/, late: true }),
  ...[['stars', '***'], ['a quotation mark', `${frames[0]!.slice(0, 60)}"`], ['one character too many', 'AAAAA'], ['padding inside', 'AA==AAAA'], ['both alphabets', 'ab+/cd-_'], ['only padding', '==']].flatMap(([what, data]): Case[] => [
    onFrame(`a frame whose base64 has ${what}`, () => frame({ frameData: data }), { ...badMedia, message: /base64/ }),
    onFrame(`audio whose base64 has ${what}`, () => frame({ audioData: data }), { ...badMedia, message: /base64/ }),
  ]),
  onFrame('a data URL without base64', () => frame({ frameData: `data:image/jpeg,${frames[0]}` }), { ...badMedia, message: /base64/ }),
  onFrame('audio that is a picture', () => frame({ audioData: frames[0] }), { ...badMedia, message: /not WAV, MP3/ }),
  onFrame('audio without a sample', () => frame({ audioData: emptyWav() }), { ...badMedia, message: /no sound/ }),
  onFrame('audio above the limit of bytes', () => frame({ audioData: base64(Buffer.concat([Buffer.from('OggS'), Buffer.alloc(2_000_000)])) }), { ...badMedia, message: /at most 2000000 bytes/ }),
  onFrame('a good frame with bad audio', () => frame({ frameData: frames[0], audioData: base64('silence') }), badMedia),
];

const others: Case[] = [
  { what: 'a second session with another agent', operation: 'startSession', input: () => ({ agentInstanceId: secondAgent }), code: 'failed-precondition', reason: 'session_limit' },
  { what: 'a takeOver that is no boolean', operation: 'startSession', input: () => ({ agentInstanceId: secondAgent, takeOver: 'yes' }), ...badInput, path: 'takeOver' },
  { what: 'a platform that is none', operation: 'startSession', input: () => ({ agentInstanceId: player.agentInstanceId, gameContext: { platform: 'toaster' } }), ...badInput, path: 'gameContext.platform' },
  { what: 'a stream address of another protocol', operation: 'startSession', input: () => ({ agentInstanceId: player.agentInstanceId, gameContext: { platform: 'pc', streamUrl: 'javascript:alert(1)' } }), ...badInput, path: 'gameContext.streamUrl' },
  { what: 'an unknown key inside', operation: 'startSession', input: () => ({ agentInstanceId: player.agentInstanceId, gameContext: { platform: 'pc', dofs: 1 } }), ...badInput, path: 'gameContext' },
  { what: 'a list inside', operation: 'startSession', input: () => ({ agentInstanceId: player.agentInstanceId, gameContext: [] }), ...badInput, path: 'gameContext' },
  ...['constructor', 'toString'].map((id): Case => ({ what: `the id ${id}`, operation: 'processFrame', input: () => instruction({ sessionId: id }), ...notFound })),
  ...['constructor', 'toString'].map((id): Case => ({ what: `the id ${id}`, operation: 'endSession', input: () => ({ sessionId: id }), ...notFound })),
  { what: 'no agent', operation: 'startSession', input: () => ({}), ...badInput, path: 'agentInstanceId' },
  { what: 'no name', operation: 'renameAgent', input: () => ({ agentInstanceId: player.agentInstanceId }), ...badInput, path: 'customName' },
  { what: 'a name of spaces', operation: 'renameAgent', input: () => ({ agentInstanceId: player.agentInstanceId, customName: '   ' }), ...badInput, path: 'customName' },
  { what: 'a name of 41 characters', operation: 'renameAgent', input: () => ({ agentInstanceId: player.agentInstanceId, customName: 'n'.repeat(41) }), ...badInput, path: 'customName' },
  { what: 'a name that is an object', operation: 'renameAgent', input: () => ({ agentInstanceId: player.agentInstanceId, customName: { a: 1 } }), ...badInput, path: 'customName' },
];

/** A snapshot without what a turn that failed at the provider leaves behind: times and its entry in the stream. */
function withoutTimes({ meter, streams: _streams, ...rest }: Record<string, unknown>): unknown {
  const { dueAt: _dueAt, streams: _ended, ...money } = meter as Record<string, unknown>;
  return { ...rest, meter: money };
}

describe('bad input through the callables', () => {
  let quiet: Record<string, unknown>;

  before(async function () {
    this.timeout(120_000);
    [player, stranger, administrator] = await Promise.all([givePlayer({ agents: 2 }), givePlayer(), clientOf('root', { admin: true })]);
    secondAgent = player.agentInstanceId.replace(/0$/, '1');
    ({ sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId }));
    foreignSession = (await stranger.call('startSession', { agentInstanceId: stranger.agentInstanceId })).sessionId;
    const outbox = admin().firestore.collection('outbox').where('subject', 'in', [player.uid, sessionId]).where('published', '==', true);
    await eventually(async () => (await outbox.get()).size === 2, 'the account and the session are announced');
    quiet = await snapshotOf(player, sessionId);
  });

  async function refuse({ operation, input, wire }: Case): Promise<{ code: string; message: string; details: unknown }> {
    // Whoever may not call at all is told that, whatever the input.
    const caller = operations[operation as keyof typeof operations].access === 'admin' ? administrator : player;
    if (!wire) return refusedWith(caller.callRaw(operation, input()));
    const { text } = await callWire(operation, input() as string, await caller.idToken());
    const { error } = JSON.parse(text) as { error?: { status: string; message: string; details: unknown } };
    assert.ok(error, `the call was accepted: ${text}`);
    return { code: error.status.toLowerCase().replaceAll('_', '-'), message: error.message, details: error.details };
  }

  function check(each: Case): void {
    it(`${each.operation} refuses ${each.what}`, async () => {
      const { code, message, details } = await refuse(each);
      const { reason, issues } = (details ?? {}) as { reason?: string; issues?: { path: string }[] };
      assert.deepEqual({ code, reason }, { code: each.code, reason: each.reason }, message);
      if (each.path !== undefined) assert.equal(issues?.[0]?.path, each.path, message);
      if (each.message) assert.match(`${message} ${JSON.stringify(issues)}`, each.message);
      const now = await snapshotOf(player, sessionId);
      if (each.late) {
        assert.deepEqual(withoutTimes(now), withoutTimes(quiet));
        quiet = now;
      }
      assert.deepEqual(now, quiet, 'nothing was charged or written');
    });
  }

  describe('of a wrong shape', () => shapes.forEach(check));
  describe('with ids that are none', () => ids.forEach(check));
  describe('with ids that the databases keep for themselves', () => reservedIds.forEach(check));
  describe('with wrong numbers', () => numbers.forEach(check));
  describe('with forged cursors', () => cursors.forEach(check));
  describe('in frames, audio and instructions', () => frameCases.forEach(check));
  describe('of other kinds', () => others.forEach(check));

  it('a field that the client SDK sends as null is one that was left out', async () => {
    const { sessions } = await player.call('listMySessions', { limit: 1, cursor: undefined });
    assert.equal(sessions.length, 1);
  });

  it('the client SDK does not even send NaN', async () => {
    await assert.rejects(player.callRaw('listMySessions', { limit: NaN }), /NaN/);
    await assert.rejects(player.callRaw('processFrame', instruction({ generation: Infinity })), /Infinity/);
    assert.deepEqual(await snapshotOf(player, sessionId), quiet);
  });

  it('NaN on the wire is no JSON and is refused before any function sees it', async () => {
    const { status } = await callWire('processFrame', `{"sessionId":"${sessionId}","requestId":"bad","instruction":"Hello","generation":NaN}`, await player.idToken());
    assert.equal(status, 400);
    assert.deepEqual(await snapshotOf(player, sessionId), quiet);
  });

  for (const operation of signedIn) {
    it(`${operation} asks nobody in without signing in`, async () => {
      const nobody = await clientOf(null);
      const { code, reason } = await refusal(nobody.callRaw(operation, {}));
      assert.deepEqual({ code, reason }, { code: 'unauthenticated', reason: 'signed_out' });
      assert.deepEqual(await snapshotOf(player, sessionId), quiet);
    });
  }

  const byId: [string, (id: string) => Record<string, unknown>, () => string][] = [
    ['getSession', (id) => ({ sessionId: id }), () => foreignSession],
    ['endSession', (id) => ({ sessionId: id }), () => foreignSession],
    ['processFrame', (id) => instruction({ sessionId: id }), () => foreignSession],
    ['processFrame', (id) => frame({ sessionId: id, frameData: base64('no picture') }), () => foreignSession],
    ['startSession', (id) => ({ agentInstanceId: id }), () => stranger.agentInstanceId],
    ['startSession', (id) => ({ agentInstanceId: id, takeOver: true }), () => stranger.agentInstanceId],
    ['renameAgent', (id) => ({ agentInstanceId: id, customName: 'Mine' }), () => stranger.agentInstanceId],
  ];
  for (const [operation, inputOf, foreign] of byId) {
    it(`${operation} answers a foreign id as one that does not exist`, async () => {
      const theirs = await snapshotOf(stranger, foreignSession);
      const [foreignAnswer, unknownAnswer] = await Promise.all([foreign(), 'no-such-id'].map((id) => refusedWith(player.callRaw(operation, inputOf(id)))));
      assert.deepEqual(foreignAnswer, unknownAnswer);
      assert.deepEqual({ code: foreignAnswer!.code, reason: (foreignAnswer!.details as { reason: string }).reason }, notFound);
      assert.deepEqual(await snapshotOf(stranger, foreignSession), theirs);
      assert.deepEqual(await snapshotOf(player, sessionId), quiet);
    });
  }

  it('a cursor of somebody else shows nothing of theirs', async () => {
    const cursor = `a${Buffer.from(`${Date.now() + 60_000}:${foreignSession}`).toString('base64url')}`;
    const { sessions } = await player.call('listMySessions', { cursor });
    assert.deepEqual(sessions.map((each) => each.sessionId), [sessionId]);
  });

  // Mocha runs the tests of a suite before the suites inside it.
  describe('in the end', () => {
    it('and after all of this one good frame is charged, exactly once', async () => {
      const answer = await player.call('processFrame', { sessionId, requestId: 'good', generation: 1, frameData: frames[0]! });
      assert.ok(answer.costDOFs > 0);
      assert.deepEqual([answer.replayed, answer.consumedDOFs, answer.remainingDOFs], [false, answer.costDOFs, 1_000 - answer.costDOFs]);
      const { meter, requests, ...rest } = await snapshotOf(player, sessionId);
      assert.equal((meter as { consumed: number }).consumed, answer.costDOFs);
      assert.equal(Object.keys(requests as object).length, 1);
      assert.deepEqual([rest['agents'], rest['outbox']], [quiet['agents'], quiet['outbox']], 'no Firestore document changes with an ordinary frame');
    });
  });
});

describe('repeated requests', () => {
  it('the same body gets the first result and pays nothing, another body is a conflict', async () => {
    const owner = await givePlayer();
    const { sessionId: id } = await owner.call('startSession', { agentInstanceId: owner.agentInstanceId });
    const body = { sessionId: id, requestId: 'once', frameData: frames[0]!, instruction: 'What do you see?' };
    const first = await owner.call('processFrame', body);
    const after = await snapshotOf(owner, id);
    assert.deepEqual(await owner.call('processFrame', body), { ...first, replayed: true });
    const { instruction: _instruction, ...withoutInstruction } = body;
    for (const changed of [{ ...body, frameData: frames[1] }, { ...body, instruction: 'What else?' }, withoutInstruction, { ...body, audioData: base64('OggS and more') }]) {
      const { code, reason } = await refusal(owner.callRaw('processFrame', changed));
      assert.deepEqual({ code, reason }, { code: 'already-exists', reason: 'request_conflict' });
    }
    assert.deepEqual(await snapshotOf(owner, id), after);
  });

  // Names that every object has without anybody having written them.
  for (const requestId of ['constructor', 'toString', 'valueOf', 'length', '-', '_']) {
    it(`"${requestId}" is a request id like any other`, async () => {
      const owner = await givePlayer();
      const { sessionId: id } = await owner.call('startSession', { agentInstanceId: owner.agentInstanceId });
      const first = await owner.call('processFrame', { sessionId: id, requestId, instruction: 'Hello' });
      assert.deepEqual([first.replayed, first.consumedDOFs], [false, first.costDOFs]);
      assert.deepEqual(await owner.call('processFrame', { sessionId: id, requestId, instruction: 'Hello' }), { ...first, replayed: true });
      const { code, reason } = await refusal(owner.call('processFrame', { sessionId: id, requestId, instruction: 'Bye' }));
      assert.deepEqual({ code, reason }, { code: 'already-exists', reason: 'request_conflict' });
      assert.equal((await owner.call('endSession', { sessionId: id })).consumedDOFs, first.costDOFs);
    });
  }
});

describe('agents and sessions that cannot be used', () => {
  it('an agent without DOFs starts nothing', async () => {
    const poor = await givePlayer({ dofs: 0 });
    const { code, reason } = await refusal(poor.call('startSession', { agentInstanceId: poor.agentInstanceId }));
    assert.deepEqual({ code, reason }, { code: 'resource-exhausted', reason: 'no_dofs' });
    const { sessions, user, agents } = await snapshotOf(poor, 'none');
    assert.deepEqual(sessions, []);
    assert.deepEqual((user as { activeSessions: object }).activeSessions, {});
    assert.deepEqual((agents as { heldDOFs: number }[]).map(({ heldDOFs }) => heldDOFs), [0]);
  });

  it('an agent of a product that is gone starts nothing', async () => {
    const owner = await givePlayer({ productId: 'no-such-product' });
    const { code, reason } = await refusal(owner.call('startSession', { agentInstanceId: owner.agentInstanceId }));
    assert.deepEqual({ code, reason }, { code: 'failed-precondition', reason: 'agent_unavailable' });
    assert.deepEqual((await snapshotOf(owner, 'none'))['sessions'], []);
  });

  it('a closed session takes no frame, answers what it answered before, and ends once', async () => {
    const owner = await givePlayer();
    const { sessionId: id } = await owner.call('startSession', { agentInstanceId: owner.agentInstanceId });
    const first = await owner.call('processFrame', { sessionId: id, requestId: 'r0', frameData: frames[0]! });
    const ended = await owner.call('endSession', { sessionId: id });
    await eventually(async () => (await owner.call('getSession', { sessionId: id })).settlement === 'done', 'the settlement');
    const closed = await snapshotOf(owner, id);

    const { code, reason } = await refusal(owner.call('processFrame', { sessionId: id, requestId: 'r1', frameData: frames[0]! }));
    assert.deepEqual({ code, reason }, { code: 'failed-precondition', reason: 'session_closed' });
    assert.deepEqual(await owner.call('processFrame', { sessionId: id, requestId: 'r0', frameData: frames[0]! }), { ...first, replayed: true });
    const again = await owner.call('endSession', { sessionId: id });
    assert.deepEqual([again.status, again.closeReason, again.consumedDOFs, again.endedAt], ['ended', 'user', first.costDOFs, ended.endedAt]);
    assert.deepEqual(await snapshotOf(owner, id), closed);
  });
});

// The last one: while it fails, it takes the function's process down, and other tests with it.
describe('a request id that breaks the database client', () => {
  it('is refused or works, and breaks nothing for anybody else', async () => {
    const [one, another] = await Promise.all([givePlayer(), givePlayer()]);
    const [mine, theirs] = await Promise.all([one, another].map(async (each) => (await each.call('startSession', { agentInstanceId: each.agentInstanceId })).sessionId));
    // Its client keeps the names below a path in plain objects and asks these for their own hasOwnProperty.
    const answer = await one.call('processFrame', { sessionId: mine!, requestId: 'hasOwnProperty', instruction: 'Hello' }).catch((error: unknown) => error);
    for (const requestId of ['a', 'b', 'c']) {
      const { replayed, outcome } = await another.call('processFrame', { sessionId: theirs!, requestId, instruction: 'Hello' });
      assert.deepEqual([replayed, outcome], [false, 'complete']);
    }
    if (!(answer instanceof Error)) return;
    const { code, reason } = await refusal(Promise.reject(answer));
    assert.deepEqual({ code, reason }, { code: 'invalid-argument', reason: 'bad_input' });
  });
});
