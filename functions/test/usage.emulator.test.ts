import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { CheckpointDoc, GrantDoc, LedgerDoc } from '../src/credits/schema.ts';
import type { Meter } from '../src/live/meter.ts';
import type { SessionDoc } from '../src/sessions/schema.ts';
import { exportColumns, type ExportRow } from '../src/usage/export.ts';
import { frames } from './frames.ts';
import { admin, apiUrl, clientOf, closeClients, eventually, givePlayer, read, readAgent, readAll, refusal, startWith, type Client, type Player } from './harness.ts';

after(closeClients);

type Receipt = Awaited<ReturnType<typeof receiptOf>>;
type Line = Receipt['lines'][number];

const sum = (numbers: number[]): number => numbers.reduce((total, each) => total + each, 0);

/** A whole receipt, read in one page. */
const receiptOf = (client: Client, sessionId: string) => client.call('getReceipt', { sessionId, limit: 100 });

/** Starts a session that settles whenever this many DOFs have gathered. */
async function start(player: Player, settleEveryDOFs: number): Promise<string> {
  return (await startWith(player, { settleEveryDOFs })).sessionId;
}

/** Plays turns with a frame, an instruction, or both in turn; returns their costs by request id. */
async function play(player: Player, sessionId: string, names: string[]): Promise<Map<string, number>> {
  const costs = new Map<string, number>();
  for (const [index, requestId] of names.entries()) {
    const frameData = index % 3 === 1 ? {} : { frameData: frames[index % frames.length]! };
    const instruction = index % 3 === 0 ? {} : { instruction: 'What do you see?' };
    costs.set(requestId, (await player.call('processFrame', { sessionId, requestId, ...frameData, ...instruction })).costDOFs);
  }
  return costs;
}

async function end(player: Player, sessionId: string): Promise<void> {
  await player.call('endSession', { sessionId });
  await eventually(async () => (await read<SessionDoc>(`sessions/${sessionId}`))?.settlement === 'done', 'the settlement');
}

async function signInAdmin(): Promise<Client> {
  const uid = `admin-${randomUUID()}`;
  await admin().auth.createUser({ uid });
  await admin().auth.setCustomUserClaims(uid, { admin: true });
  return clientOf(uid);
}

/** Calls a GET route of the API. */
async function get(path: string, as: Client | null): Promise<Response> {
  return fetch(`${apiUrl}/v1${path}`, { headers: as ? { authorization: `Bearer ${await as.idToken()}` } : {} });
}

/** The error of a REST answer. */
async function errorOf(response: Response): Promise<[number, string, string | undefined]> {
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  const { error } = await response.json() as { error: { code: string; details?: { reason?: string } } };
  return [response.status, error.code, error.details?.reason];
}

/** What each grant and the debt paid, by the lines of a receipt. */
function paidByLines(lines: Line[]): Record<string, number> {
  const paid: Record<string, number> = {};
  for (const { lots, debtDOFs } of lines) {
    for (const { grantId, amount } of lots) paid[grantId] = (paid[grantId] ?? 0) + amount;
    if (debtDOFs > 0) paid['debt'] = (paid['debt'] ?? 0) + debtDOFs;
  }
  return paid;
}

/** The same by the ledger. */
async function paidByLedger(player: Player, sessionId: string): Promise<Record<string, number>> {
  const paid: Record<string, number> = {};
  const entries = (await readAll<LedgerDoc>(`users/${player.uid}/agents/${player.agentInstanceId}/ledger`)).filter((entry) => entry.sessionId === sessionId);
  for (const { lots, debt } of entries) {
    for (const { grantId, amount } of lots) paid[grantId] = (paid[grantId] ?? 0) - amount;
    if (debt > 0) paid['debt'] = (paid['debt'] ?? 0) + debt;
  }
  return paid;
}

/** Checks what every receipt promises about its sums. */
function assertAddsUp({ lines, consumedDOFs, settledDOFs }: Receipt): void {
  assert.equal(sum(lines.map(({ costDOFs }) => costDOFs)), consumedDOFs, 'the lines are what was consumed');
  assert.equal(sum(lines.filter(({ settled }) => settled).map(({ lots, debtDOFs }) => sum(lots.map(({ amount }) => amount)) + debtDOFs)), settledDOFs, 'settled lines are paid');
  lines.forEach((line, index) => {
    assert.equal(line.fromDOFs, lines[index - 1]?.toDOFs ?? 0, 'each DOF once');
    assert.equal(line.toDOFs - line.fromDOFs, line.costDOFs);
    assert.equal(line.entryIds.length > 0, line.settled);
    if (line.settled) assert.equal(sum(line.lots.map(({ amount }) => amount)) + line.debtDOFs, line.costDOFs, 'a line is paid to the DOF');
  });
}

describe('receipts, ledger and export', () => {
  const names = Array.from({ length: 9 }, (_, index) => `${index + 1}`);
  let player: Player;
  let stranger: Player;
  let administrator: Client;
  let sessionId: string;
  let open: Receipt;
  let receipt: Receipt;
  let costs: Map<string, number>;
  let startedAt: string;

  before(async function () {
    this.timeout(120_000);
    startedAt = new Date().toISOString();
    [player, stranger, administrator] = await Promise.all([
      givePlayer({ lots: [{ amount: 4_000, priority: 30, source: 'purchase' }, { amount: 25, priority: 10, source: 'trial' }, { amount: 17, priority: 20, source: 'earning' }] }), givePlayer(), signInAdmin(),
    ]);
    sessionId = await start(player, 15);
    costs = await play(player, sessionId, names);
    const { consumed, checkpointed } = (await admin().database.ref(`meters/${sessionId}`).get()).val() as Meter;
    if (consumed === checkpointed) {
      // The last turn was one to settle: one more, too cheap for that, leaves something open.
      const { costDOFs } = await player.call('processFrame', { sessionId, requestId: 'more', instruction: 'And now?' });
      assert.ok(costDOFs < 15);
      names.push('more');
      costs.set('more', costDOFs);
    }
    await eventually(async () => ((await read<SessionDoc>(`sessions/${sessionId}`))?.settledDOFs ?? 0) > 0, 'a settlement on the way');
    open = await receiptOf(player, sessionId);
    await end(player, sessionId);
    receipt = await receiptOf(player, sessionId);
  });

  describe('the receipt', () => {
    it('of an open session has every turn until now, settled or not', () => {
      assert.deepEqual([open.status, open.settlement], ['active', 'open']);
      assertAddsUp(open);
      assert.deepEqual(open.lines.map(({ requestId, costDOFs }) => [requestId, costDOFs]), [...costs]);
      assert.ok(open.settledDOFs > 0 && open.settledDOFs < open.consumedDOFs, 'some of it is not settled');
    });

    it('of an ended session is paid to the DOF, by the lots that the ledger names', async () => {
      assert.deepEqual([receipt.status, receipt.settlement, receipt.settledDOFs, receipt.nextCursor], ['ended', 'done', receipt.consumedDOFs, null]);
      assertAddsUp(receipt);
      assert.deepEqual(paidByLines(receipt.lines), await paidByLedger(player, sessionId));
      assert.deepEqual(Object.keys(paidByLines(receipt.lines)), ['lot-1', 'lot-2', 'lot-0'], 'in burn order');
      const left = Object.fromEntries(Object.entries((await readAgent(player))!.lots).map(([grantId, { remaining }]) => [grantId, remaining]));
      const grants = await readAll<GrantDoc>(`users/${player.uid}/agents/${player.agentInstanceId}/grants`);
      for (const { grantId, amount } of grants) assert.equal((paidByLines(receipt.lines)[grantId] ?? 0) + (left[grantId] ?? 0), amount, `${grantId} = paid + left`);
    });

    it('says what each turn was, and at which price', async () => {
      const session = (await read<SessionDoc>(`sessions/${sessionId}`))!;
      assert.deepEqual(receipt.price, { productId: session.agentProductId, version: session.priceVersion, rates: session.config.dofRates });
      assert.deepEqual(receipt.lines.slice(0, 3).map(({ frame, instruction, audioSeconds }) => [frame, instruction, audioSeconds]), [['standard', false, 0], [null, true, 0], ['standard', true, 0]]);
      for (const line of receipt.lines) {
        assert.deepEqual([line.provider, line.outcome, line.estimated], ['offline', 'complete', false]);
        assert.ok(line.usage.outputTokens! > 0 && line.at > startedAt);
      }
      assert.deepEqual(Object.fromEntries(receipt.lines.flatMap(({ lots }) => lots.map(({ grantId, source }) => [grantId, source]))), { 'lot-0': 'purchase', 'lot-1': 'trial', 'lot-2': 'earning' });
      assert.deepEqual(receipt.lines.map(({ requestId, turnId, costDOFs }) => [requestId, turnId, costDOFs]), open.lines.map(({ requestId, turnId, costDOFs }) => [requestId, turnId, costDOFs]), 'the end changes no line');
      const entries = new Set((await readAll<LedgerDoc>(`users/${player.uid}/agents/${player.agentInstanceId}/ledger`)).filter(({ type }) => type === 'settlement').map(({ operationId }) => operationId));
      assert.deepEqual(new Set(receipt.lines.flatMap(({ entryIds }) => entryIds)), entries);
    });

    it('comes in pages that are the whole one after the other, over REST as well', async () => {
      for (const limit of [1, 4, 9, 100]) {
        const lines: Line[] = [];
        let cursor: string | null = null;
        let pages = 0;
        do {
          const response = await get(`/sessions/${sessionId}/receipt?limit=${limit}${cursor === null ? '' : `&cursor=${cursor}`}`, player);
          assert.equal(response.status, 200);
          const page = await response.json() as Receipt;
          assert.deepEqual([page.consumedDOFs, page.settledDOFs], [receipt.consumedDOFs, receipt.settledDOFs]);
          lines.push(...page.lines);
          cursor = page.nextCursor;
          pages += 1;
        } while (cursor !== null && pages < 20);
        assert.deepEqual([lines, pages], [receipt.lines, Math.ceil(names.length / limit)]);
      }
    });

    it('has one line for one request, while the session is live and when that is gone', async () => {
      const one = async (requestId: string): Promise<Line[]> => (await (await get(`/sessions/${sessionId}/receipt?requestId=${requestId}`, player)).json() as Receipt).lines;
      for (const requestId of ['1', '5', '9']) assert.deepEqual(await one(requestId), receipt.lines.filter((line) => line.requestId === requestId));
      const requests = admin().database.ref(`requests/${sessionId}`);
      const records = (await requests.get()).val() as object;
      await requests.remove();
      for (const requestId of ['1', '5', '9']) assert.deepEqual(await one(requestId), receipt.lines.filter((line) => line.requestId === requestId));
      assert.deepEqual((await receiptOf(player, sessionId)).lines, receipt.lines);
      await requests.set(records);
      for (const requestId of ['unknown', '10']) assert.deepEqual(await errorOf(await get(`/sessions/${sessionId}/receipt?requestId=${requestId}`, player)), [404, 'not-found', 'not_found']);
    });

    it('shows as debt what no lot could pay', async () => {
      const debtor = await givePlayer({ dofs: 500 });
      const id = await start(debtor, 1_000);
      await play(debtor, id, ['a', 'b', 'c']);
      // As if the balance had been lost but for 12 DOFs: what was consumed is charged all the same.
      await admin().firestore.doc(`users/${debtor.uid}/agents/${debtor.agentInstanceId}`).update({ 'lots.lot-0.remaining': 12, holds: {}, heldDOFs: 0, currentDOFs: 12 });
      await end(debtor, id);
      const charged = await receiptOf(debtor, id);
      assertAddsUp(charged);
      assert.deepEqual(paidByLines(charged.lines), { 'lot-0': 12, debt: charged.consumedDOFs - 12 });
      assert.equal((await readAgent(debtor))!.debtDOFs, charged.consumedDOFs - 12);
      assert.ok(charged.lines.at(-1)!.debtDOFs === charged.lines.at(-1)!.costDOFs && charged.lines[0]!.debtDOFs === 0);
    });

    it('shows no turn twice when a checkpoint was written twice', async () => {
      const checkpoints = await readAll<CheckpointDoc>(`sessions/${sessionId}/checkpoints`);
      assert.ok(checkpoints.length > 2);
      const lines = checkpoints.flatMap((each) => each.lines).sort((a, b) => a.to - b.to);
      const overlap = lines.slice(1, -1);
      const { total, firstAt, lastAt } = checkpoints.find((each) => each.final)!;
      assert.ok(overlap.at(-1)!.to < total);
      await admin().firestore.doc(`sessions/${sessionId}/checkpoints/${overlap.at(-1)!.to}`).set({ ...checkpoints[0]!, total: overlap.at(-1)!.to, final: false, lines: overlap, firstAt, lastAt });
      assert.deepEqual((await receiptOf(player, sessionId)).lines, receipt.lines);
      assert.deepEqual((await player.call('getReceipt', { sessionId, limit: 3 })).lines, receipt.lines.slice(0, 3));
    });

    it('is for the owner and administrators; to others the session does not exist', async () => {
      const missing = await refusal(receiptOf(player, 'unknown'));
      assert.deepEqual([missing.code, missing.reason], ['not-found', 'not_found']);
      assert.deepEqual(await refusal(receiptOf(stranger, sessionId)), missing);
      assert.deepEqual((await refusal(receiptOf(await clientOf(null), sessionId))).reason, 'signed_out');
      assert.deepEqual(await receiptOf(administrator, sessionId), receipt);
      assert.deepEqual(await refusal(receiptOf(administrator, 'unknown')), missing);
    });

    it('refuses cursors that are not its own', async () => {
      const other = await start(stranger, 1_000);
      const { nextCursor } = await player.call('getReceipt', { sessionId, limit: 1 });
      for (const cursor of ['', 'x', Buffer.from('1:1').toString('base64url')]) assert.equal((await refusal(player.call('getReceipt', { sessionId, cursor }))).reason, 'bad_input', cursor);
      assert.equal((await refusal(stranger.call('getReceipt', { sessionId: other, cursor: nextCursor! }))).reason, 'bad_input');
      assert.equal((await refusal(player.call('getReceipt', { sessionId, cursor: nextCursor!, requestId: '1' }))).reason, 'bad_input');
      const empty = await receiptOf(stranger, other);
      assert.deepEqual([empty.lines, empty.consumedDOFs, empty.settledDOFs, empty.nextCursor], [[], 0, 0, null]);
    });
  });

  describe('the ledger', () => {
    it('comes newest first, page by page, as it is kept', async () => {
      const kept = (await readAll<LedgerDoc>(`users/${player.uid}/agents/${player.agentInstanceId}/ledger`)).sort((a, b) => b.seq - a.seq);
      assert.ok(kept.length > 5);
      const entries = [];
      let cursor: string | undefined;
      let pages = 0;
      do {
        const page = await player.call('listLedger', { agentInstanceId: player.agentInstanceId, limit: 2, ...(cursor === undefined ? {} : { cursor }) });
        entries.push(...page.entries);
        cursor = page.nextCursor ?? undefined;
        pages += 1;
      } while (cursor !== undefined && pages < 20);
      assert.equal(pages, Math.ceil(kept.length / 2));
      assert.deepEqual(entries, kept.map(({ operationId: entryId, debt: debtDOFs, actor: _actor, createdAt, ...entry }) => ({ ...entry, entryId, debtDOFs, createdAt: createdAt.toDate().toISOString() })));
      assert.equal(entries[0]!.balanceAfter, (await readAgent(player))!.currentDOFs);
      assert.deepEqual((await (await get(`/agents/${player.agentInstanceId}/ledger?limit=100`, player)).json() as { entries: object[] }).entries, entries);
    });

    it('names who made an entry to administrators only', async () => {
      const { agentInstanceId, uid: userId } = player;
      const seen = await administrator.call('listLedger', { agentInstanceId, userId, limit: 100 });
      assert.deepEqual(seen.entries.filter(({ type }) => type === 'grant').map(({ actor }) => actor), ['system', 'system', 'system']);
      assert.ok((await player.call('listLedger', { agentInstanceId, userId })).entries.every((entry) => !('actor' in entry)));
    });

    it('is for the owner and administrators; to others the agent does not exist', async () => {
      const { agentInstanceId, uid: userId } = player;
      const missing = await refusal(player.call('listLedger', { agentInstanceId: 'unknown' }));
      assert.deepEqual([missing.code, missing.reason], ['not-found', 'not_found']);
      assert.deepEqual(await refusal(stranger.call('listLedger', { agentInstanceId })), missing);
      const refused = await refusal(stranger.call('listLedger', { agentInstanceId, userId }));
      assert.deepEqual([refused.code, refused.reason], ['permission-denied', 'not_admin']);
      assert.deepEqual(await refusal(stranger.call('listLedger', { agentInstanceId: 'unknown', userId: 'nobody' })), refused, 'whether it exists or not');
      assert.equal((await refusal(administrator.call('listLedger', { agentInstanceId, userId: stranger.uid }))).reason, 'not_found');
    });

    it('refuses the cursor of another agent', async () => {
      const { nextCursor } = await player.call('listLedger', { agentInstanceId: player.agentInstanceId, limit: 1 });
      assert.equal((await refusal(stranger.call('listLedger', { agentInstanceId: stranger.agentInstanceId, cursor: nextCursor! }))).reason, 'bad_input');
    });
  });

  describe('the export', () => {
    let second: string;
    let receipts: Receipt[];
    const range = (): { from: string; to: string } => ({ from: startedAt, to: new Date(Date.now() + 60_000).toISOString() });
    const query = (format: string, more = ''): string => `/usage/export?from=${range().from}&to=${range().to}&format=${format}${more}`;

    /** The rows of JSON lines over REST. */
    const rowsOf = async (as: Client, more = ''): Promise<ExportRow[]> => {
      const response = await get(query('jsonl', more), as);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'application/x-ndjson');
      return (await response.text()).split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as ExportRow);
    };

    before(async () => {
      second = await start(player, 1_000);
      await play(player, second, ['a', 'b']);
      await end(player, second);
      receipts = await Promise.all([receiptOf(player, sessionId), receiptOf(player, second)]);
    });

    it('has every line of every receipt of the user once', async () => {
      const rows = await rowsOf(player);
      const expected = receipts.flatMap(({ sessionId: id, agentInstanceId, lines }) => lines.map(({ requestId, turnId, at, provider, model, frame, instruction, audioSeconds, usage, outcome, estimated, costDOFs }) => ({
        at, userId: player.uid, agentInstanceId, sessionId: id, requestId, turnId, provider, model, frame, instruction, audioSeconds, spokenCharacters: null, ...usage, outcome, estimated, costDOFs, memberId: null,
      })));
      const byTurn = (a: { turnId: unknown }, b: { turnId: unknown }): number => (String(a.turnId) < String(b.turnId) ? -1 : 1);
      assert.deepEqual(rows.toSorted(byTurn), expected.sort(byTurn), 'although one checkpoint was written twice');
      assert.equal(sum(rows.map(({ costDOFs }) => costDOFs)), sum(receipts.map(({ consumedDOFs }) => consumedDOFs)));
    });

    it('is the same as CSV, with a name to save it under', async () => {
      const response = await get(query('csv'), player);
      assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'text/csv; charset=utf-8']);
      assert.match(response.headers.get('content-disposition') ?? '', /^attachment; filename="usage-\d{4}-\d\d-\d\d-\d{4}-\d\d-\d\d\.csv"$/);
      const [head, ...records] = (await response.text()).split('\r\n');
      assert.equal(head, exportColumns.join(','));
      assert.equal(records.pop(), '', 'ends with an end of line');
      const rows = await rowsOf(player);
      const field = (cell: string | number | boolean | null): string => (typeof cell === 'string' && /^[=+\-@]/.test(cell) ? `'${cell}` : cell === null ? '' : String(cell));
      assert.deepEqual(records, rows.map((row) => exportColumns.map((column) => field(row[column])).join(',')));
    });

    it('is the same as a callable: its chunks are the file, its result the sums', async () => {
      for (const format of ['csv', 'jsonl'] as const) {
        const bounds = range();
        const { chunks, data } = await player.stream('exportUsage', { ...bounds, format });
        const text = (chunks as { type: string; text: string }[]).map((chunk) => chunk.text).join('');
        assert.equal(text, await (await get(`/usage/export?from=${bounds.from}&to=${bounds.to}&format=${format}`, player)).text());
        assert.deepEqual(data, { rows: names.length + 2, costDOFs: sum(receipts.map(({ consumedDOFs }) => consumedDOFs)), format });
        assert.deepEqual(await player.call('exportUsage', { ...bounds, format }), data, 'without streaming there are only the sums');
      }
    });

    it('holds what was asked for: a range, an agent', async () => {
      const all = receipts.flatMap(({ lines }) => lines).sort((a, b) => (a.at < b.at ? -1 : 1));
      const from = all[2]!.at;
      const to = all[6]!.at;
      const { data } = await player.stream('exportUsage', { from, to, format: 'csv' });
      assert.deepEqual(data, { rows: 4, costDOFs: sum(all.slice(2, 6).map(({ costDOFs }) => costDOFs)), format: 'csv' }, 'the first moment belongs to it, the last does not');
      assert.equal((await rowsOf(player, `&agentInstanceId=${player.agentInstanceId}`)).length, all.length);
      assert.deepEqual(await rowsOf(player, '&agentInstanceId=another'), []);
      assert.deepEqual(await rowsOf(stranger), []);
      assert.equal(await (await get(query('csv'), stranger)).text(), `${exportColumns.join(',')}\r\n`, 'a header without rows');
    });

    it('is for the user and administrators', async () => {
      assert.deepEqual(await rowsOf(administrator, `&userId=${player.uid}`), await rowsOf(player, `&userId=${player.uid}`));
      assert.deepEqual(await rowsOf(administrator), []);
      assert.deepEqual(await errorOf(await get(query('csv', `&userId=${player.uid}`), stranger)), [403, 'permission-denied', 'not_admin']);
      assert.deepEqual(await errorOf(await get(query('csv'), null)), [401, 'unauthenticated', 'signed_out']);
      const refused = await refusal(stranger.call('exportUsage', { ...range(), format: 'csv', userId: player.uid }));
      assert.deepEqual([refused.code, refused.reason], ['permission-denied', 'not_admin']);
    });

    it('answers bad input with an error, not with a file', async () => {
      for (const bad of ['/usage/export', query('xlsx'), `/usage/export?from=2026-01-01T00:00:00Z&to=2026-04-03T00:00:01Z&format=csv`, `/usage/export?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z&format=csv`, query('csv', '&more=1')]) {
        assert.deepEqual(await errorOf(await get(bad, player)), [400, 'invalid-argument', 'bad_input'], bad);
      }
    });
  });
});
