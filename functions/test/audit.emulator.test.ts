import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { AgentDoc } from '../src/agents/schema.ts';
import { agentsAfter, agentsOf, auditPage, auditSlice, auditSome, repairAgent } from '../src/audit/store.ts';
import { useLog } from '../src/runtime/log.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import { admin, closeClients, eventually, givePlayer, read, readAll, type Player } from './harness.ts';

after(closeClients);

const frame = readFileSync(new URL('../../tools/demo/frames/frame-000.jpg', import.meta.url)).toString('base64');
const command = fileURLToPath(new URL('../../tools/commands/audit.ts', import.meta.url));

/** Runs `npm run audit -- ...` against the suite. */
async function run(args: string[], env: Record<string, string> = {}): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [command, ...args], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [out, err] = ['', ''];
  child.stdout.on('data', (part: Buffer) => { out += part.toString(); });
  child.stderr.on('data', (part: Buffer) => { err += part.toString(); });
  const code = await new Promise<number | null>((resolve) => { child.once('close', resolve); });
  return { code, out, err };
}

const lines = (out: string): Record<string, unknown>[] => out.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
const pathOf = ({ uid, agentInstanceId }: Player): string => `users/${uid}/agents/${agentInstanceId}`;
const update = (path: string, fields: object) => admin().firestore.doc(path).update({ ...fields });

async function kindsOf({ uid, agentInstanceId }: Player): Promise<string[]> {
  return (await auditSome(await agentsOf(uid, agentInstanceId))).flatMap(({ drifts }) => drifts.map(({ kind }) => kind)).sort();
}

/** A player who has played, and plays again. */
async function playing(): Promise<{ player: Player; ended: string; open: string }> {
  const player = await givePlayer({ lots: [{ amount: 3_000, priority: 20 }, { amount: 40, priority: 5, source: 'trial', expiresAt: new Date(Date.now() + 86_400_000) }] });
  const ids: string[] = [];
  for (const ends of [true, false]) {
    const { sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
    for (const requestId of ['one', 'two']) await player.call('processFrame', { sessionId, requestId, frameData: frame });
    if (ends) await player.call('endSession', { sessionId });
    ids.push(sessionId);
  }
  await eventually(async () => (await read<SessionDoc>(`sessions/${ids[0]}`))?.settlement === 'done', 'the settlement');
  return { player, ended: ids[0]!, open: ids[1]! };
}

describe('the audit of played sessions', () => {
  it('finds nothing before, while and after a player plays', async () => {
    assert.deepEqual(await kindsOf(await givePlayer({ dofs: 0 })), []);
    const { player, open } = await playing();
    assert.deepEqual(await kindsOf(player), []);
    const [audit] = await auditSome(await agentsOf(player.uid, player.agentInstanceId));
    assert.equal(audit!.sessions, 2);
    assert.equal(audit!.entries, (await readAll(`${pathOf(player)}/ledger`)).length);
    await player.call('endSession', { sessionId: open });
    assert.deepEqual(await kindsOf(player), []);
  });

  it('never gives a false alarm while sessions start, run and end', async () => {
    const player = await givePlayer({ dofs: 5_000 });
    let over = false;
    const found: string[] = [];
    const watching = (async () => {
      while (!over) found.push(...await kindsOf(player));
    })();
    for (let round = 0; round < 3; round++) {
      const { sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
      await player.call('processFrame', { sessionId, requestId: 'one', frameData: frame });
      await player.call('endSession', { sessionId });
    }
    over = true;
    await watching;
    assert.deepEqual(found, []);
  });

  it('finds what was broken, and a repair mends it with an event', async () => {
    const { player, ended, open } = await playing();
    const before = (await read<AgentDoc>(pathOf(player)))!;
    await update(pathOf(player), { currentDOFs: before.currentDOFs + 100, heldDOFs: 0, dueAt: null });
    await update(`sessions/${open}`, { heldDOFs: 1 });
    await update(`sessions/${ended}`, { settledDOFs: 0 });
    await update(`users/${player.uid}`, { [`activeSessions.${ended}`]: player.agentInstanceId });
    assert.deepEqual(await kindsOf(player), ['agent.currentDOFs', 'agent.dueAt', 'agent.heldDOFs', 'session.heldDOFs', 'session.settledDOFs', 'user.activeSessions']);
    const ledger = await readAll(`${pathOf(player)}/ledger`);
    const [ref] = await agentsOf(player.uid, player.agentInstanceId);
    assert.ok(await repairAgent(ref!));
    assert.deepEqual(await kindsOf(player), []);
    const after = (await read<AgentDoc>(pathOf(player)))!;
    assert.deepEqual(after, { ...before, version: before.version + 1 });
    assert.deepEqual(await readAll(`${pathOf(player)}/ledger`), ledger);
    const event = await read<{ topic: string; data: { before: Record<string, unknown>; after: Record<string, unknown> } }>(`outbox/${player.uid}:${player.agentInstanceId}-${String(after.version).padStart(6, '0')}-agent.balance_repaired`);
    assert.equal(event?.topic, 'transaction-events');
    assert.deepEqual([event?.data.before['currentDOFs'], event?.data.after['currentDOFs']], [before.currentDOFs + 100, before.currentDOFs]);
    // The session goes on as if nothing had been.
    await player.call('processFrame', { sessionId: open, requestId: 'three', frameData: frame });
    await player.call('endSession', { sessionId: open });
    assert.deepEqual(await kindsOf(player), []);
  });

  it('releases the hold of a session that is gone, and gives back one that was lost', async () => {
    const { player, open } = await playing();
    const session = (await read<SessionDoc>(`sessions/${open}`))!;
    await admin().firestore.doc(`sessions/${open}`).delete();
    assert.deepEqual(await kindsOf(player), ['hold.orphan', 'user.activeSessions']);
    const [ref] = await agentsOf(player.uid, player.agentInstanceId);
    await repairAgent(ref!);
    assert.deepEqual(await kindsOf(player), []);
    assert.equal((await read<AgentDoc>(pathOf(player)))!.heldDOFs, 0);
    assert.equal((await read<{ releasedDOFs: number }>(`${pathOf(player)}/holds/${open}`))!.releasedDOFs, session.heldDOFs);

    const other = await playing();
    await update(pathOf(other.player), { holds: {}, heldDOFs: 0 });
    assert.ok((await kindsOf(other.player)).includes('hold.missing'));
    const [otherRef] = await agentsOf(other.player.uid, other.player.agentInstanceId);
    await repairAgent(otherRef!);
    assert.deepEqual(await kindsOf(other.player), []);
    await other.player.call('endSession', { sessionId: other.open });
    assert.deepEqual(await kindsOf(other.player), []);
  });

  it('pages over all agents, and goes round in slices', async () => {
    const player = await givePlayer();
    const seen = new Set<string>();
    for (let cursor: string | null = null, more = true; more; more = cursor !== null) {
      const page: Awaited<ReturnType<typeof auditPage>> = await auditPage(cursor, 7);
      for (const { ref } of page.audits) seen.add(ref.path);
      cursor = page.cursor;
    }
    assert.ok(seen.has(pathOf(player)));
    const rounds = async (): Promise<number> => (await read<{ rounds: number }>('ops/audit'))?.rounds ?? 0;
    const first = await rounds();
    let audited = 0;
    // What other tests have broken is not for the output of this one.
    useLog({ info: () => undefined, warn: () => undefined, write: () => undefined });
    try {
      // The suite's own sweep may have begun the round of today.
      while (await rounds() === first) audited += (await auditSlice(() => Date.now() + 48 * 3_600_000)).audited;
    } finally {
      useLog(null);
    }
    assert.ok(audited > 0);
    assert.ok((await agentsAfter(null, 1)).refs.length === 1);
  });
});

describe('npm run audit', () => {
  it('says that nothing is wrong, and exits with 0', async () => {
    const { player } = await playing();
    const { code, out, err } = await run(['--user', player.uid]);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /^1 agent, \d+ ledger entries, 2 sessions, no drift, \d+\.\d s\n$/);
    const json = await run(['--agent', player.agentInstanceId, '--json']);
    const [summary] = lines(json.out);
    assert.deepEqual([json.code, summary!['type'], summary!['agents'], summary!['drifts']], [0, 'summary', 1, 0]);
  });

  it('reports drifts and changes nothing, repairs when asked, and exits with 1 as long as something is wrong', async () => {
    const { player, open } = await playing();
    const { currentDOFs } = (await read<AgentDoc>(pathOf(player)))!;
    await update(pathOf(player), { currentDOFs: 1 });
    const found = await run(['--user', player.uid]);
    assert.equal(found.code, 1);
    assert.equal(found.out.split('\n')[0], `drift    agent.currentDOFs: the balance is not what the ledger adds up to. ${pathOf(player)}: expected ${currentDOFs}, found 1`);
    assert.match(found.out, /1 drift, 1 of them can be repaired \(--repair\)/);
    assert.equal((await read<AgentDoc>(pathOf(player)))!.currentDOFs, 1);

    const json = await run(['--user', player.uid, '--agent', player.agentInstanceId, '--json']);
    assert.deepEqual(lines(json.out)[0], { type: 'drift', kind: 'agent.currentDOFs', documents: [pathOf(player)], expected: currentDOFs, found: 1, repairable: true });
    assert.equal(json.code, 1);

    const repaired = await run(['--user', player.uid, '--repair']);
    assert.equal(repaired.code, 0);
    assert.match(repaired.out, new RegExp(`repaired ${pathOf(player)}: currentDOFs\nagain, after the repair:\n1 agent, .*, 1 agent repaired, no drift`));
    assert.equal((await read<AgentDoc>(pathOf(player)))!.currentDOFs, currentDOFs);
    assert.equal((await run(['--user', player.uid])).code, 0);

    await player.call('endSession', { sessionId: open });
    await admin().firestore.doc(`${pathOf(player)}/ledger/lot-0`).delete();
    const broken = await run(['--user', player.uid, '--repair', '--json']);
    assert.equal(broken.code, 1);
    assert.deepEqual(lines(broken.out).map(({ type, kind, drifts }) => kind ?? `${String(type)} ${String(drifts)}`), ['ledger.seq', 'grant.entryMissing', 'summary 2']);
  });

  it('says in a sentence why it cannot run, and exits with 2', async () => {
    const cases: [string[], Record<string, string>, RegExp][] = [
      [['--fast'], {}, /^Unknown option '--fast': the options are --project ID/],
      [['--user'], {}, /^Option '--user <value>' argument missing: the options/],
      [['--agent', ''], {}, /^--agent needs an id/],
      [['--user', 'nobody'], {}, /^There is no user nobody that owns an agent\.\n$/],
      [['--agent', 'nothing'], {}, /^There is no agent nothing\.\n$/],
      [['--project', 'real'], {}, /^FIRESTORE_EMULATOR_HOST is set, so --project real would not reach/],
      [['--project', 'demo-jiga'], { FIRESTORE_EMULATOR_HOST: '', FIREBASE_DATABASE_EMULATOR_HOST: '' }, /^demo-jiga exists on emulators only/],
      [[], { GCLOUD_PROJECT: 'real' }, /^GCLOUD_PROJECT names the real project real: say --project real/],
      [[], { FIRESTORE_EMULATOR_HOST: '127.0.0.1:1' }, /^No Firestore emulator answers at 127\.0\.0\.1:1: run npm start/],
    ];
    for (const [args, env, problem] of cases) {
      const { code, out, err } = await run(args, env);
      assert.match(err, problem);
      assert.deepEqual([code, out], [2, ''], args.join(' '));
    }
    const help = await run(['--help']);
    assert.equal(help.code, 0);
    assert.match(help.out, /--repair/);
  });
});
