import assert from 'node:assert/strict';
import type { AgentDoc } from '../src/agents/schema.ts';
import type { LedgerDoc } from '../src/credits/schema.ts';
import type { OutboxDoc } from '../src/events/store.ts';
import { runSweep } from '../src/ops/sweep.ts';
import { callWire, refusedWith, snapshotOf } from './evidence.ts';
import { admin, apiUrl, clientOf, closeClients, eventually, givePlayer, read, readAgent, readAll, sums, type Client, type Player } from './harness.ts';

after(closeClients);

let root: Client;
const targetOf = ({ uid, agentInstanceId }: Player) => ({ userId: uid, agentInstanceId });
const ledgerOf = async ({ uid, agentInstanceId }: Player): Promise<LedgerDoc[]> => (await readAll<LedgerDoc>(`users/${uid}/agents/${agentInstanceId}/ledger`)).sort((a, b) => a.seq - b.seq);
const eventsAbout = async (subject: string): Promise<OutboxDoc[]> => (await admin().firestore.collection('outbox').where('subject', '==', subject).get()).docs.map((doc) => doc.data() as OutboxDoc);
let keys = 0;
const key = (): string => `k-${Date.now()}-${++keys}`;

describe('money operations', () => {
  before(async () => { root = await clientOf('root-operator', { admin: true }); });

  describe('grantDofs', () => {
    it('opens a lot, enters it and publishes it, once for all repeats of its key', async () => {
      const player = await givePlayer({ dofs: 100 });
      const input = { ...targetOf(player), idempotencyKey: key(), amount: 40, source: 'purchase' as const, reason: 'order 7', expiresAt: '2099-01-01T00:00:00.000Z' };
      const first = await root.call('grantDofs', input);
      assert.deepEqual(first, { grantId: `grant-${input.idempotencyKey}`, entryId: `grant-${input.idempotencyKey}`, amount: 40, balanceAfter: 140, debtRepaid: 0, replayed: false });
      for (let repeat = 0; repeat < 3; repeat++) assert.deepEqual(await root.call('grantDofs', input), { ...first, replayed: true });
      assert.deepEqual(await sums(player), { ledger: 140, lots: 140, balance: 140, held: 0 });
      assert.deepEqual((await ledgerOf(player)).map(({ type, amount, actor, reason }) => [type, amount, actor, reason]).at(-1), ['grant', 40, 'root-operator', 'order 7']);
      assert.deepEqual((await eventsAbout(`${player.uid}:${player.agentInstanceId}`)).map(({ type }) => type), ['agent.dofs_granted']);
    });

    it('repays a debt first', async () => {
      const player = await givePlayer({ dofs: 10 });
      const ref = admin().firestore.doc(`users/${player.uid}/agents/${player.agentInstanceId}`);
      await ref.update({ currentDOFs: -30, debtDOFs: 30, lots: {} } satisfies Partial<AgentDoc>);
      const granted = await root.call('grantDofs', { ...targetOf(player), idempotencyKey: key(), amount: 50, source: 'purchase', reason: 'top-up' });
      assert.deepEqual([granted.debtRepaid, granted.balanceAfter], [30, 20]);
      assert.deepEqual([(await readAgent(player))?.debtDOFs, Object.values((await readAgent(player))!.lots).map(({ remaining }) => remaining)], [0, [20]]);
    });

    it('works through REST as well', async () => {
      const player = await givePlayer({ dofs: 100 });
      const response = await fetch(`${apiUrl}/v1/grants`, {
        method: 'POST', headers: { authorization: `Bearer ${await root.idToken()}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ...targetOf(player), idempotencyKey: key(), amount: 5, source: 'trial', reason: 'welcome' }),
      });
      assert.deepEqual([response.status, (await response.json() as { balanceAfter: number }).balanceAfter], [200, 105]);
    });
  });

  describe('what an administrator gets wrong changes nothing', () => {
    let player: Player;
    let spent: string;
    before(async () => {
      player = await givePlayer({ lots: [{ amount: 100, priority: 1 }, { amount: 20, priority: 2 }] });
      spent = key();
      await root.call('grantDofs', { ...targetOf(player), idempotencyKey: spent, amount: 5, source: 'admin', reason: 'test' });
      await root.call('voidGrant', { ...targetOf(player), idempotencyKey: key(), grantId: `grant-${spent}`, reason: 'test' });
    });
    const grant = (parts: Record<string, unknown>) => ({ ...targetOf(player), idempotencyKey: key(), amount: 1, source: 'admin', reason: 'test', ...parts });
    const badInput = ['invalid-argument', 'bad_input'] as const;
    const cases: [string, string, () => unknown, readonly [string, string]][] = [
      ...[['negative', -1], ['zero', 0], ['fractional', 0.5], ['huge', 1e15], ['beyond safe integers', 2 ** 53], ['text', '5'], ['null', null]].flatMap(([what, amount]): typeof cases => [
        [`an amount that is ${what as string}`, 'grantDofs', () => grant({ amount }), badInput],
        [`an amount that is ${what as string}`, 'placeHold', () => ({ ...targetOf(player), idempotencyKey: key(), amount }), badInput],
      ]),
      ['an adjustment of 0', 'adjustBalance', () => ({ ...targetOf(player), idempotencyKey: key(), amount: 0, reason: 'x' }), badInput],
      ['a fractional adjustment', 'adjustBalance', () => ({ ...targetOf(player), idempotencyKey: key(), amount: -1.5, reason: 'x' }), badInput],
      ['an unknown source', 'grantDofs', () => grant({ source: 'gift' }), badInput],
      ['an expiry that has passed', 'grantDofs', () => grant({ expiresAt: '2020-01-01T00:00:00.000Z' }), badInput],
      ['a rollover without an expiry', 'grantDofs', () => grant({ rollover: { maxDOFs: 1, days: 1 } }), badInput],
      ['no reason', 'grantDofs', () => grant({ reason: ' ' }), badInput],
      ['a key of 41 characters', 'grantDofs', () => grant({ idempotencyKey: 'k'.repeat(41) }), badInput],
      ['an unknown agent', 'grantDofs', () => grant({ agentInstanceId: 'nobody' }), ['not-found', 'not_found']],
      ['the agent of another user', 'grantDofs', () => grant({ userId: 'nobody' }), ['not-found', 'not_found']],
      ['an unknown grant', 'voidGrant', () => ({ ...targetOf(player), idempotencyKey: key(), grantId: 'grant-none', reason: 'x' }), ['not-found', 'not_found']],
      ['a grant with a name of every object', 'voidGrant', () => ({ ...targetOf(player), idempotencyKey: key(), grantId: 'toString', reason: 'x' }), ['not-found', 'not_found']],
      ['a void grant', 'voidGrant', () => ({ ...targetOf(player), idempotencyKey: key(), grantId: `grant-${spent}`, reason: 'x' }), ['failed-precondition', 'grant_closed']],
      ['more than there is', 'adjustBalance', () => ({ ...targetOf(player), idempotencyKey: key(), amount: -121, reason: 'x' }), ['resource-exhausted', 'insufficient_dofs']],
      ['an unknown entry to correct', 'adjustBalance', () => ({ ...targetOf(player), idempotencyKey: key(), amount: 1, reason: 'x', correctsEntryId: 'settle-none' }), ['not-found', 'not_found']],
      ['more than there is', 'placeHold', () => ({ ...targetOf(player), idempotencyKey: key(), amount: 121 }), ['resource-exhausted', 'insufficient_dofs']],
      ['an unknown hold', 'postHold', () => ({ ...targetOf(player), holdId: 'hold-none', amount: 1, reason: 'x' }), ['not-found', 'not_found']],
      ['a hold with a name of every object', 'releaseHold', () => ({ ...targetOf(player), holdId: 'constructor' }), ['not-found', 'not_found']],
      ['another body under a key', 'grantDofs', () => grant({ idempotencyKey: spent, amount: 6 }), ['already-exists', 'request_conflict']],
      ['another agent under a key', 'grantDofs', () => grant({ idempotencyKey: spent, amount: 5, userId: other.uid, agentInstanceId: other.agentInstanceId }), ['already-exists', 'request_conflict']],
    ];
    let other: Player;
    before(async () => { other = await givePlayer({ dofs: 1 }); });

    for (const [what, operation, input, [code, reason]] of cases) {
      it(`${operation} refuses ${what}`, async () => {
        const [before, theirs] = [await snapshotOf(player, 'none'), await snapshotOf(other, 'none')];
        const refused = await refusedWith(root.callRaw(operation, input()));
        assert.deepEqual([refused.code, (refused.details as { reason: string }).reason], [code, reason], refused.message);
        assert.deepEqual([await snapshotOf(player, 'none'), await snapshotOf(other, 'none')], [before, theirs]);
      });
    }

    it('NaN and Infinity on the wire are refused', async () => {
      const before = await snapshotOf(player, 'none');
      for (const amount of ['NaN', 'Infinity', '1e999']) {
        const text = JSON.stringify(grant({ amount: 0 })).replace('"amount":0', `"amount":${amount}`);
        assert.equal((await callWire('grantDofs', text, await root.idToken())).status, 400, amount);
      }
      assert.deepEqual(await snapshotOf(player, 'none'), before);
    });

    for (const operation of ['grantDofs', 'voidGrant', 'adjustBalance', 'placeHold', 'postHold', 'releaseHold']) {
      it(`${operation} is not for players, whatever they claim`, async () => {
        const before = await snapshotOf(player, 'none');
        const pretender = await clientOf(player.uid, { admin: 'true' });
        for (const client of [player, pretender]) {
          const refused = await refusedWith(client.callRaw(operation, grant({ amount: 1_000 })));
          assert.deepEqual([refused.code, refused.details], ['permission-denied', { reason: 'not_admin' }]);
        }
        assert.deepEqual(await snapshotOf(player, 'none'), before);
      });
    }
  });

  describe('holds of a service', () => {
    it('are posted once: a repeat gets the first result, another amount is refused', async () => {
      const player = await givePlayer({ dofs: 100 });
      const placed = await root.call('placeHold', { ...targetOf(player), idempotencyKey: key(), amount: 60 });
      assert.deepEqual([placed.state, placed.heldDOFs, (await readAgent(player))?.heldDOFs], ['pending', 60, 60]);
      const post = { ...targetOf(player), holdId: placed.holdId, amount: 25, reason: 'match entered' };
      const posted = await root.call('postHold', post);
      assert.deepEqual(posted, { holdId: placed.holdId, state: 'posted', heldDOFs: 0, postedDOFs: 25, releasedDOFs: 35 });
      assert.deepEqual(await root.call('postHold', post), posted);
      const refused = await refusedWith(root.call('postHold', { ...post, amount: 26 }));
      assert.deepEqual([refused.code, (refused.details as { reason: string }).reason], ['failed-precondition', 'hold_resolved']);
      assert.equal((await refusedWith(root.call('releaseHold', { ...targetOf(player), holdId: placed.holdId }))).code, 'failed-precondition');
      assert.deepEqual(await sums(player), { ledger: 75, lots: 75, balance: 75, held: 0 });
    });

    it('that are forgotten expire with the sweep', async () => {
      const player = await givePlayer({ dofs: 100 });
      const { holdId } = await root.call('placeHold', { ...targetOf(player), idempotencyKey: key(), amount: 60, ttlSeconds: 1 });
      await runSweep(() => Date.now());
      await eventually(async () => {
        await runSweep(() => Date.now());
        return (await readAgent(player))?.heldDOFs === 0;
      }, 'the hold to expire');
      assert.equal((await read(`users/${player.uid}/agents/${player.agentInstanceId}/holds/${holdId}`))?.['state'], 'expired');
      assert.deepEqual(await sums(player), { ledger: 100, lots: 100, balance: 100, held: 0 });
      assert.ok((await eventsAbout(`${player.uid}:${player.agentInstanceId}`)).some(({ type }) => type === 'hold.expired'));
    });
  });

  describe('low balances', () => {
    it('are announced once per crossing, and again after a top-up', async () => {
      const player = await givePlayer({ dofs: 100 });
      await player.call('setAlertThresholds', { agentInstanceId: player.agentInstanceId, alertThresholds: [80, 50] });
      const change = (amount: number) => root.call('adjustBalance', { ...targetOf(player), idempotencyKey: key(), amount, reason: 'test' });
      const alerts = async () => (await eventsAbout(`${player.uid}:${player.agentInstanceId}`)).filter(({ type }) => type === 'agent.low_balance').sort((a, b) => a.sequence - b.sequence).map(({ data }) => data['thresholds']);
      await change(-10);
      assert.deepEqual(await alerts(), []);
      await change(-20);
      await change(-5);
      assert.deepEqual(await alerts(), [[80]]);
      await change(+50);
      await change(-70);
      assert.deepEqual(await alerts(), [[80], [80, 50]]);
      await eventually(async () => (await eventsAbout(`${player.uid}:${player.agentInstanceId}`)).every(({ published }) => published), 'the alerts to be published');
    });
  });
});
