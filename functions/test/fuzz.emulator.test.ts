import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import fc from 'fast-check';
import { operations } from '../src/operations.ts';
import { httpStatusOf, type ErrorCode } from '../src/runtime/errors.ts';
import type { Operation } from '../src/runtime/operation.ts';
import { deploy, endInstances, type Deployable, type Instance } from './deployed.ts';
import { dumpDatabase, dumpFirestore } from './evidence.ts';
import { assertNoEcho } from './fuzz/echo.ts';
import { examplesOf, type Own } from './fuzz/examples.ts';
import { brokenBodies, hostileInputs } from './fuzz/hostile.ts';
import { fuzzSeed } from './fuzz/seed.ts';
import { brokenRequests, mayBeTaken, oddHeaders, overRest, sendBytes } from './fuzz/wire.ts';
import { admin, clientOf, closeClients, eventually, givePlayer, sums, type Client, type Player } from './harness.ts';
import { sendRaw, type Sent } from './raw-http.ts';

after(async () => {
  await endInstances();
  await closeClients();
});

const all: [string, Operation][] = Object.entries(operations);
const callables = ['startSession', 'processFrame', 'joinSession', 'grantDofs', 'getServerStatus'] as const;
/** How much larger (bytes) a process may ever have been than before: bodies of 15 MB, parsed, and a model's whole turn are in it. */
const mostGrowth = 384 * 2 ** 20;
/** Statuses that only the transport has: another method, too large, not JSON. */
const ofTransport = [405, 413, 415];
const keepAlive = new Agent({ keepAlive: true, maxSockets: 4 });

interface ErrorAnswer {
  error?: { code?: ErrorCode; status?: string; message?: string; details?: { reason?: string } };
}

/** Fails unless an answer is a result, or an error of this API with its own status. */
function assertAnswer(status: number, text: string, sent: Buffer | string): void {
  assert.ok(status < 500, `${status}: ${text}`);
  assert.doesNotMatch(text, /node_modules|file:\/\/|\n {4}at |<html/i);
  if (status < 400) return;
  // The platform's own answer to a token that is none, before it calls the function.
  if (text === '{"error":{"message":"Unauthenticated","status":"UNAUTHENTICATED"}}') return assert.equal(status, 401);
  const { error } = JSON.parse(text) as ErrorAnswer;
  const code = error?.code ?? error?.status?.toLowerCase().replaceAll('_', '-') as ErrorCode;
  assert.ok(typeof error?.message === 'string' && error.details?.reason !== undefined && error.details.reason !== 'internal', text);
  assert.ok(httpStatusOf[code] === status || (code === 'invalid-argument' && ofTransport.includes(status)), `${status}: ${text}`);
  assertNoEcho(text, sent.toString());
}

/** A digest of all there is, but for the counts of calls. */
async function fingerprint(): Promise<string> {
  const { rates: _rates, ...database } = JSON.parse(await dumpDatabase()) as Record<string, unknown>;
  return createHash('sha256').update((await dumpFirestore()).toSorted().join('\n')).update(JSON.stringify(database)).digest('hex');
}

/** The digest once nothing moves any more. */
async function quietFingerprint(): Promise<string> {
  let last = '';
  const unpublished = admin().firestore.collection('outbox').where('published', '==', false).limit(1);
  await eventually(async () => {
    const [before, { empty }] = [last, await unpublished.get()];
    last = await fingerprint();
    return empty && last === before;
  }, 'nothing moves');
  return last;
}

/** Bytes of memory that a process has now, and had at most. */
function memoryOf({ pid }: Instance): { now: number; most: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [now, most] = ['VmRSS', 'VmHWM'].map((name) => Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)![1]) * 1_024);
  return { now: now!, most: most! };
}

describe('built functions that are sent what nobody means', () => {
  const instances = new Map<Deployable, Instance>();
  const atFirst = new Map<Deployable, number>();
  let player: Player;
  let administrator: Client;
  let own: Own;
  let sessionId: string;
  let inviteId: string;

  before(async function () {
    this.timeout(120_000);
    const targets: Deployable[] = ['api', ...callables];
    for (const instance of await Promise.all(targets.map((target) => deploy(target)))) instances.set(instance.target, instance);
    [player, administrator] = await Promise.all([givePlayer({ dofs: 500_000 }), clientOf('fuzz-admin', { admin: true })]);
    ({ sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId }));
    const { turnId } = await player.call('processFrame', { sessionId, requestId: 'first', instruction: 'Hello' });
    const { holdId } = await administrator.call('placeHold', { idempotencyKey: `fuzz-${player.uid}`.slice(0, 40), userId: player.uid, agentInstanceId: player.agentInstanceId, amount: 10 });
    let invite: string;
    ({ invite, inviteId } = await player.call('shareSession', { sessionId }));
    own = { sessionId: [sessionId], agentInstanceId: [player.agentInstanceId], userId: [player.uid], seenTurnId: [turnId], holdId: [holdId], grantId: ['lot-0'], correctsEntryId: ['lot-0'], inviteId: [inviteId], invite: [invite] };
    // Once each, so that what they load is not taken for growth.
    for (const [target, instance] of instances) {
      await sendRaw(instance, target === 'api' ? { path: '/ready' } : { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"data":{}}' });
      atFirst.set(target, memoryOf(instance).now);
    }
  });
  after(() => keepAlive.destroy());

  const headersFor = async ({ access }: Operation): Promise<Record<string, string>> => ({ authorization: `Bearer ${await (access === 'admin' ? administrator : player).idToken()}` });

  async function send(target: Deployable, sent: Sent): Promise<number> {
    const { status, bytes } = await sendRaw(instances.get(target)!, sent, keepAlive);
    assertAnswer(status, bytes.toString(), `${sent.path} ${sent.body?.toString()}`);
    return status;
  }

  async function assertNothingWritten(act: () => Promise<unknown>): Promise<void> {
    const quiet = await quietFingerprint();
    await act();
    assert.equal(await fingerprint(), quiet, 'nothing was written');
  }

  it('by every route: refuse what no schema takes, and write nothing', async function () {
    this.timeout(120_000);
    await assertNothingWritten(async () => {
      for (const [, op] of all) {
        const headers = await headersFor(op);
        const inputs = hostileInputs(op.input, own).filter((input) => !mayBeTaken(op, input));
        await fc.assert(fc.asyncProperty(inputs, async (input) => void await send('api', overRest(op, input, headers))), { seed: fuzzSeed, numRuns: 15 });
      }
    });
  });

  for (const name of callables) {
    const op: Operation = operations[name];
    const post = (body: Buffer, headers: Record<string, string>): Promise<number> => send(name, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });

    it(`${name} refuses what its schema does not take, broken bodies and odd headers, and writes nothing`, async function () {
      this.timeout(120_000);
      const headers = await headersFor(op);
      const hostile = hostileInputs(op.input, own).filter((input) => !mayBeTaken(op, input)).map((input) => Buffer.from(`{"data":${input}}`));
      const plain = fc.constant({});
      const bodies = fc.oneof({ weight: 2, arbitrary: fc.tuple(hostile, plain) }, { weight: 1, arbitrary: fc.tuple(brokenBodies(hostileInputs(op.input, own)).filter((body) => !mayBeTaken(op, dataOf(body))), plain) }, { weight: 1, arbitrary: fc.tuple(hostile, oddHeaders) });
      await assertNothingWritten(() => fc.assert(fc.asyncProperty(bodies, async ([body, more]) => {
        const status = await post(body, { ...headers, ...more });
        assert.ok(name === 'getServerStatus' || status >= 400, `it was answered with ${status}`);
      }), { seed: fuzzSeed, numRuns: 100 }));
    });
  }

  it('by requests that break off or the protocol: answer as HTTP does or not at all, and write nothing', async () => {
    const token = await player.idToken();
    await assertNothingWritten(async () => {
      for (const [target, path] of [['api', '/v1/sessions'], ['startSession', '/']] as const) {
        for (const bytes of brokenRequests(path, token)) {
          const answer = await sendBytes(instances.get(target)!, bytes);
          assert.doesNotMatch(answer, /^HTTP\/1\.1 (2|5)|node_modules|\n {4}at |<html/i, bytes.slice(0, 200));
        }
      }
    });
  });

  it('with bodies as large as they may be, and larger: stay small', async () => {
    const { authorization } = await headersFor(operations.processFrame);
    const large = (bytes: number): Sent => ({ method: 'POST', path: `/v1/sessions/${sessionId}/frames`, headers: { authorization: authorization!, 'content-type': 'application/json' }, body: `{"nonsense":"${'x'.repeat(bytes - '{"nonsense":""}'.length)}"}` });
    await assertNothingWritten(async () => {
      for (const [bytes, status] of [[14_999_999, 400], [15_000_000, 400], [15_000_001, 413]] as const) assert.equal(await send('api', large(bytes)), status);
    });
  });

  it('where a schema takes it all the same: answer as always, and the books stay right', async function () {
    this.timeout(120_000);
    for (const [, op] of all) {
      const headers = await headersFor(op);
      const inputs = fc.oneof(examplesOf(op.input, own).map((example) => JSON.stringify(example)), hostileInputs(op.input, own).filter((input) => mayBeTaken(op, input)));
      await fc.assert(fc.asyncProperty(inputs, async (input) => void await send('api', overRest(op, input, headers))), { seed: fuzzSeed, numRuns: 12, endOnFailure: true });
    }
    await eventually(async () => {
      const { ledger, lots, balance } = await sums(player);
      return ledger === balance && lots === balance;
    }, 'the books are right');
  });

  it('are the same processes as before, and have not grown', () => {
    for (const [target, instance] of instances) {
      const grown = memoryOf(instance).most - atFirst.get(target)!;
      assert.ok(grown <= mostGrowth, `${target} has grown by ${grown} bytes`);
    }
  });

  it('and do what they are there for, exactly once', async () => {
    const fresh = await givePlayer();
    const token = await fresh.idToken();
    const started = await instances.get('startSession')!.call(token, { agentInstanceId: fresh.agentInstanceId });
    const turn = { sessionId: started.result!['sessionId'], requestId: 'once', instruction: 'Hello' };
    const [first, again] = [await instances.get('processFrame')!.call(token, turn), await instances.get('processFrame')!.call(token, turn)];
    assert.deepEqual([first.result!['replayed'], first.result!['consumedDOFs']], [false, first.result!['costDOFs']]);
    assert.deepEqual(again.result, { ...first.result, replayed: true, speech: again.result!['speech'] });
    assert.equal((await admin().database.ref(`meters/${turn.sessionId as string}/consumed`).get()).val(), first.result!['costDOFs']);
  });
});

/** The text of what a callable takes as input; of no use to it where the body is none. */
function dataOf(body: Buffer): string {
  try {
    return JSON.stringify((JSON.parse(body.toString()) as { data?: unknown }).data) ?? '';
  } catch {
    return '';
  }
}
