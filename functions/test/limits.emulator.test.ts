import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { get as getOnce, ref } from 'firebase/database';
import { idleSlot, slotOf } from '../src/runtime/rate.ts';
import { deploy, endInstances, type Instance } from './deployed.ts';
import { admin, clientOf, closeClients, eventually, fireSchedule, refusal } from './harness.ts';

after(async () => {
  await endInstances();
  await closeClients();
});

/** A window of an hour or so that does not end while a test runs. */
const longWindow = [3_600, 3_500, 3_300].find((seconds) => seconds - Math.floor(Date.now() / 1_000) % seconds > 600)!;
const long = { RATE_LIMIT_WINDOW_SECONDS: String(longWindow) };
/** No Firestore, so that a call that needs it for being counted fails. */
const withoutFirestore = { FIRESTORE_EMULATOR_HOST: '127.0.0.1:1' };

interface Outcome {
  reason: string | undefined;
  retryAfterMs: number | undefined;
  status?: number;
  retryAfter?: string | null;
}

/** Calls that do nothing: their input is refused, after they were counted. */
async function nothing(instance: Instance, token: string): Promise<Outcome> {
  const { error } = await instance.call(token, {});
  const details = error?.details as { reason?: string; retryAfterMs?: number } | undefined;
  return { reason: details?.reason, retryAfterMs: details?.retryAfterMs };
}

/** Asks the API for what has no valid id, by way of these addresses: refused without a database, once it was counted. */
async function anonymous(api: Instance, forwardedFor: string, headers: Record<string, string> = {}): Promise<Outcome> {
  const response = await fetch(`${api.url}/v1/sessions/a.b`, { headers: { 'x-forwarded-for': forwardedFor, ...headers } });
  const { error } = await response.json() as { error: { details: { reason: string; retryAfterMs?: number } } };
  return { reason: error.details.reason, retryAfterMs: error.details.retryAfterMs, status: response.status, retryAfter: response.headers.get('retry-after') };
}

/** Makes many calls, some of them at a time. */
async function calls(count: number, act: (index: number) => Promise<Outcome>): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let next = 0;
  await Promise.all(Array.from({ length: 40 }, async () => {
    while (next < count) outcomes.push(await act(next++));
  }));
  return outcomes;
}

const limited = (outcomes: Outcome[]): Outcome[] => outcomes.filter(({ reason }) => reason === 'rate_limited');
const token = async (uid = `caller-${randomUUID().slice(0, 13)}`): Promise<string> => (await clientOf(uid)).idToken();
const address = (): string => `2001:db8:${randomUUID().slice(0, 4)}:${randomUUID().slice(0, 4)}`;
const rates = async (): Promise<{ start: number; calls: number }[]> => {
  const slots = ((await admin().database.ref('rates').get()).val() ?? {}) as Record<string, Record<string, { start: number; calls: number }>>;
  return Object.values(slots).flatMap((slot) => Object.values(slot));
};

describe('the limit of a user', () => {
  it('holds over four instances: 1,400 calls, at least 1,000 and at most 1,050 pass, without Firestore', async function () {
    this.timeout(240_000);
    const instances = await Promise.all(Array.from({ length: 4 }, () => deploy('getSession', { ...long, ...withoutFirestore })));
    const caller = await token();
    const before = (await rates()).length;
    const outcomes = await calls(1_400, (index) => nothing(instances[index % 4]!, caller));
    const passed = outcomes.filter(({ reason }) => reason === 'bad_input').length;
    assert.ok(passed >= 1_000 && passed <= 1_050, `${passed} passed`);
    assert.equal(limited(outcomes).length, 1_400 - passed, 'and nothing else happened');
    for (const { retryAfterMs } of limited(outcomes)) assert.ok(retryAfterMs! > 0 && retryAfterMs! <= longWindow * 1_000);
    const after = await rates();
    assert.equal(after.length, before + 1, 'one count for all of them');
    assert.ok(after.some(({ calls: booked }) => booked >= 1_000 && booked <= 1_048));
    assert.deepEqual(limited([await nothing(instances[0]!, await token())]), [], 'somebody else is not concerned');
  });

  it('is over when it says so', async () => {
    const instance = await deploy('getSession', { RATE_LIMIT_PER_USER: '5', RATE_LIMIT_WINDOW_SECONDS: '2' });
    const caller = await token();
    let refused: Outcome | undefined;
    await eventually(async () => { refused = await nothing(instance, caller); return refused.reason === 'rate_limited'; }, 'the sixth call of a window');
    const at = Date.now();
    assert.ok(refused!.retryAfterMs! > 0 && refused!.retryAfterMs! <= 2_000);
    await eventually(async () => (await nothing(instance, caller)).reason === 'bad_input', 'the next window');
    assert.ok(Date.now() - at >= refused!.retryAfterMs! - 50, 'not earlier');
    assert.equal(limited(await calls(4, () => nothing(instance, caller))).length, 0, 'the whole limit again');
  });

  it('counts over callables and REST together, before anything of the input is looked at', async () => {
    const env = { ...long, ...withoutFirestore, RATE_LIMIT_PER_USER: '10' };
    const [callable, api] = await Promise.all([deploy('getSession', env), deploy('api', env)]);
    const caller = await token();
    assert.equal(limited(await calls(5, () => nothing(callable, caller))).length, 0);
    const outcomes = await calls(10, () => anonymous(api, '203.0.113.1', { authorization: `Bearer ${caller}` }));
    assert.equal(limited(outcomes).length, 5);
    const { status, retryAfter, retryAfterMs } = limited(outcomes)[0]!;
    assert.deepEqual([status, retryAfter], [429, String(Math.ceil(retryAfterMs! / 1_000))]);
    const malformed = await fetch(`${api.url}/v1/sessions`, { method: 'POST', headers: { authorization: `Bearer ${caller}`, 'content-type': 'application/json' }, body: '{"nonsense":1}' });
    assert.equal(malformed.status, 429);
  });

  it('is counted by each instance alone while the database cannot be reached', async () => {
    const instance = await deploy('getSession', { ...long, RATE_LIMIT_PER_USER: '20', FIREBASE_DATABASE_EMULATOR_HOST: '127.0.0.1:1' });
    const caller = await token();
    assert.equal(limited(await calls(30, () => nothing(instance, caller))).length, 10);
  });
});

describe('the limit of an address', () => {
  let api: Instance;
  let other: Instance;
  before(async () => {
    [api, other] = await Promise.all([deploy('api', long), deploy('api', long)]);
  });

  it('holds for whoever has not signed in, over two instances', async () => {
    const from = `${address()}::1`;
    const outcomes = await calls(140, (index) => anonymous(index % 2 ? api : other, from));
    const passed = outcomes.filter(({ reason, status }) => reason === 'signed_out' && status === 401).length;
    assert.ok(passed >= 100 && passed <= 105, `${passed} passed`);
    assert.equal(limited(outcomes).length, 140 - passed);
  });

  it('is not escaped by what the client writes into the header, nor by another address of its network', async () => {
    const network = address();
    const outcomes = await calls(140, (index) => anonymous(api, `198.51.100.${index}, 10.0.0.${index}, ${network}::${index}`));
    assert.ok(limited(outcomes).length >= 35);
    assert.deepEqual(limited([await anonymous(api, `${network}::1, ${address()}::1`)]), [], 'another network is not concerned');
  });

  it('holds for tokens that are not valid, and not for those that are', async () => {
    const from = `${address()}::1`;
    const outcomes = await calls(140, () => anonymous(api, from, { authorization: 'Bearer garbage' }));
    assert.ok(limited(outcomes).length >= 35);
    const caller = await token();
    const known = await fetch(`${api.url}/v1/sessions/none`, { headers: { 'x-forwarded-for': from, authorization: `Bearer ${caller}` } });
    assert.equal(known.status, 404);
  });

  it('stands before your own proxies, where there are any', async () => {
    const behind = await deploy('api', { ...long, TRUSTED_PROXIES: '1' });
    const [from, proxy] = [`${address()}::1`, `${address()}::1`];
    assert.ok(limited(await calls(140, () => anonymous(behind, `${from}, ${proxy}`))).length >= 35);
    assert.deepEqual(limited([await anonymous(behind, `${address()}::1, ${proxy}`)]), []);
  });
});

describe('the counts', () => {
  it('are nobody\'s to see or change but the server\'s, and name nobody', async () => {
    const client = await clientOf(`caller-${randomUUID().slice(0, 13)}`);
    await assert.rejects(getOnce(ref(client.database, 'rates')), /[Pp]ermission/);
    assert.doesNotMatch(JSON.stringify((await admin().database.ref('rates').get()).val()), /caller-|2001|203\.0/);
  });

  it('of windows that are over are removed by the sweep, those of this hour and the one before are not', async () => {
    const now = Date.now();
    const { database } = admin();
    const slots = { old: idleSlot(now), last: slotOf(now - 3_600_000), current: slotOf(now) };
    await Promise.all(Object.values(slots).map((slot) => database.ref(`rates/${slot}/planted`).set({ start: now, calls: 1 })));
    await fireSchedule('sweep');
    const left = async (slot: number): Promise<boolean> => (await database.ref(`rates/${slot}/planted`).get()).exists();
    await eventually(async () => !await left(slots.old), 'the old counts to be gone');
    assert.deepEqual([await left(slots.last), await left(slots.current)], [true, true]);
    await Promise.all(Object.values(slots).map((slot) => database.ref(`rates/${slot}/planted`).remove()));
  });
});

describe('a caller of the suite', () => {
  it('is told by the client SDK that there were too many calls', async () => {
    const instance = await deploy('getSession', { ...long, ...withoutFirestore, RATE_LIMIT_PER_USER: '1' });
    const caller = await token();
    await nothing(instance, caller);
    const { error } = await instance.call(caller, {});
    assert.deepEqual([error?.status, error?.details?.reason], ['RESOURCE_EXHAUSTED', 'rate_limited']);
    assert.match(error?.message ?? '', /^Too many calls\. Try again in \d+ s\.$/);
    assert.equal((await refusal((await clientOf(`caller-${randomUUID().slice(0, 13)}`)).callRaw('getSession', {}))).reason, 'bad_input');
  });
});
