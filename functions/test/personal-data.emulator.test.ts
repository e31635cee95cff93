import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { push, ref, remove, serverTimestamp, set } from 'firebase/database';
import { userTag } from '../src/runtime/log.ts';
import { frames } from './frames.ts';
import { admin, apiUrl, clientOf, closeClients, eventually, fireSchedule, givePlayer, readAll, type Client, type Player } from './harness.ts';

after(closeClients);

const mark = randomUUID().slice(0, 8);
/** What people are called, say and are told: it is nobody's business but theirs. */
const planted = {
  name: `Zoe Zwieback ${mark}`, email: `zoe-${mark}@people.example`, agentName: `Knuspel ${mark}`, sessionName: `Oma ${mark}`, word: `my doctor is called Zwieback-${mark}`,
  fact: `allergic to nuts ${mark}`, address: '203.0.113.77', key: `Quoted ${mark}`,
};

describe('what the log says of people', function () {
  this.timeout(240_000);
  let player: Player;
  let guest: Client;
  let sessionId: string;
  let replies: string[];
  let secret: string;
  let tokens: string[];

  /** Calls the REST API as from an address of its own. */
  async function rest(path: string, body: string, type = 'application/json'): Promise<number> {
    const response = await fetch(`${apiUrl}/v1${path}`, { method: 'POST', headers: { authorization: `Bearer ${await player.idToken()}`, 'content-type': type, 'x-forwarded-for': planted.address }, body });
    await response.text();
    return response.status;
  }

  before(async () => {
    const log = process.env['JIGA_EMULATOR_LOG'];
    const uid = `guest-${mark}`;
    await admin().auth.createUser({ uid, email: planted.email, emailVerified: true, displayName: planted.name });
    [player, guest] = await Promise.all([givePlayer({ productId: 'gemini-legend', dofs: 50_000 }), clientOf(uid, { email: planted.email, email_verified: true, name: planted.name })]);
    await player.call('renameAgent', { agentInstanceId: player.agentInstanceId, customName: planted.agentName });
    ({ sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId }));
    await player.call('renameSession', { sessionId, name: planted.sessionName });
    const { invite } = await player.call('shareSession', { sessionId, email: planted.email });
    secret = invite.split('.')[1]!;
    await guest.call('joinSession', { invite });
    await eventually(async () => (await admin().database.ref(`live/${sessionId}/members/${guest.uid}`).get()).exists(), 'the guest is shown as a member');
    const connection = push(ref(guest.database, `presence/${sessionId}/${guest.uid}`));
    await set(connection, { at: serverTimestamp() });
    const said = [
      await player.call('processFrame', { sessionId, requestId: 'r1', instruction: `remember that I am ${planted.fact}` }),
      await player.call('processFrame', { sessionId, requestId: 'r2', instruction: `what do you remember about ${planted.fact}? ${planted.word}`, frameData: frames[0]! }),
      await guest.call('processFrame', { sessionId, requestId: 'r3', instruction: planted.word, queue: true }),
    ];
    replies = said.map(({ reply }) => reply).filter((reply) => reply.length > 20);
    await remove(connection);
    // What goes wrong repeats what was sent.
    await rest(`/sessions/${sessionId}/frames`, `{"requestId": "r4", "instruction": ${planted.word}`);
    await rest(`/sessions/${sessionId}/frames`, JSON.stringify({ requestId: 'r5', [planted.word]: planted.word, instruction: 7 }));
    await rest(`/sessions/${sessionId}/frames`, planted.word, 'text/plain');
    await admin().firestore.doc(`users/${player.uid}/agents/broken-${mark}`).set({ agentInstanceId: `broken-${mark}`, ownerId: player.uid, agentProductId: `no/"${planted.key}"`, productVersion: 1, lots: {}, holds: {} });
    await player.call('endSession', { sessionId });
    await assert.rejects(player.call('startSession', { agentInstanceId: `broken-${mark}` }), { code: 'functions/internal' });
    await admin().firestore.doc(`sessions/${sessionId}/checkpoints/broken`).set({ total: planted.key, final: { of: planted.word } });
    await eventually(async () => (await readAll<{ embeddedWith: string | null }>(`users/${player.uid}/agents/${player.agentInstanceId}/memories`)).some(({ embeddedWith }) => embeddedWith !== null), 'a memory is embedded');
    await eventually(async () => (await admin().firestore.collection('outbox').where('subject', '==', sessionId).where('published', '==', false).get()).empty, 'every event is published');
    await fireSchedule('sweep');
    await guest.call('listMySessions', {});
    tokens = [await player.idToken(), await guest.idToken()].map((token) => token.split('.')[1]!);
    if (log !== undefined && existsSync(log)) await eventually(() => readFileSync(log, 'utf8').includes(`"user":"${userTag(guest.uid)}","operation":"listMySessions"`), 'the last call is in the log');
  });

  const read = (): string => {
    const file = process.env['JIGA_EMULATOR_LOG'];
    assert.ok(file !== undefined && existsSync(file), 'the suite that this runs against has a log');
    return readFileSync(file, 'utf8');
  };
  /** What the functions have printed. */
  const printed = (log: string): string[] => log.split('\n').filter((line) => line.startsWith('>'));

  it('tells their calls by session and tag', () => {
    const log = read();
    for (const [tag, operation] of [[userTag(player.uid), 'processFrame'], [userTag(guest.uid), 'processFrame']]) {
      assert.ok(printed(log).some((line) => line.includes(`"user":"${tag}"`) && line.includes(`"sessionId":"${sessionId}"`) && line.includes(`"operation":"${operation}"`)), `${operation} of ${tag}`);
    }
    assert.ok(printed(log).some((line) => line.includes(`"sessionId":"${sessionId}"`) && line.includes('"message":"session ended"')));
    assert.ok(printed(log).some((line) => line.includes('"outcome":"internal"') && line.includes(`"agentInstanceId":"broken-${mark}"`)), 'an unexpected error was logged');
  });

  it('is no name, e-mail address, address, token or word of theirs, nor what they were told', () => {
    const log = read();
    assert.ok(replies.length > 0);
    for (const [what, text] of [...Object.entries(planted), ...replies.map((reply) => ['a reply', reply]), ...tokens.map((token) => ['a token', token]), ['an invite', secret], ['a picture', frames[0]!.slice(0, 200)]]) {
      const at = log.indexOf(text!);
      assert.ok(at < 0, `${what} is in the log: ${log.slice(Math.max(0, at - 300), at)}`);
    }
  });

  it('is no account', () => {
    // Ids of agents are made from the account only here.
    const lines = printed(read()).map((line) => line.replaceAll(player.agentInstanceId, ''));
    for (const { uid } of [player, guest]) assert.deepEqual(lines.filter((line) => line.includes(uid)), []);
  });
});
