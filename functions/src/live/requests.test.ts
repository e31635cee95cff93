import assert from 'node:assert/strict';
import { post, type Lease, type Meter } from './meter.ts';
import { abandonedRecord, diedBeforePosting, isRunning, judgeRepeat, recordedCost, requestKey, type RequestRecord } from './requests.ts';

const now = 1_000_000;
const lease: Lease = { requestId: 'r1', fence: 'f1', held: 20, inputPrice: 6, expiresAt: now + 55_000 };
const meter = (parts: Partial<Meter> = {}): Meter => ({ open: true, generation: 1, limit: 100, consumed: 30, checkpointed: 0, expiresAt: now + 600_000, dueAt: now + 60_000, ...parts });

describe('requests: an id that comes again', () => {
  const record: RequestRecord = { hash: 'h', state: 'running', expiresAt: now + 10, turnId: 'f1', input: '{}', model: 'm' };
  const again = (hash = 'h') => ({ hash, turnId: 'f2' });

  it('is of its member alone: members choose their ids independently of each other', () => {
    assert.equal(new Set([requestKey('r1', undefined), requestKey('r1', 'p1'), requestKey('r1', 'p2')]).size, 3);
  });

  it('is new without a record', () => assert.deepEqual(judgeRepeat(null, again(), now), { kind: 'new' }));

  it('conflicts with another body, whatever became of the first', () => {
    for (const state of ['running', 'done'] as const) {
      for (const expiresAt of [now - 1, now + 1]) assert.deepEqual(judgeRepeat({ ...record, state, expiresAt }, again('other'), now), { kind: 'conflict' });
    }
  });

  it('replays a finished turn for good', () => {
    const done: RequestRecord = { ...record, state: 'done', expiresAt: now - 1, reply: 'yes' };
    assert.deepEqual(judgeRepeat(done, again(), now), { kind: 'replay', record: done });
  });

  it('waits for a running one, and takes over a dead one', () => {
    assert.deepEqual(judgeRepeat(record, again(), now), { kind: 'running', retryAfterMs: 10 });
    assert.deepEqual(judgeRepeat(record, again(), now + 10), { kind: 'new' });
  });

  it('is new for the attempt whose own claim came through unheard, as long as that runs', () => {
    assert.deepEqual(judgeRepeat(record, { hash: 'h', turnId: 'f1' }, now), { kind: 'new' });
    assert.equal(judgeRepeat({ ...record, state: 'done' }, { hash: 'h', turnId: 'f1' }, now).kind, 'replay');
  });
});

describe('requests: the record that closes a turn', () => {
  const running: RequestRecord = { hash: 'h', state: 'running', expiresAt: now + 10, turnId: 'f1', input: '{"frame":null}', model: 'm' };
  const done: RequestRecord = { ...running, state: 'done', expiresAt: now, cost: 9 };

  it('is the attempt\'s to close while it runs, and nobody\'s afterwards', () => {
    assert.equal(isRunning(running, 'f1'), true);
    for (const [record, turnId] of [[running, 'f2'], [done, 'f1'], [null, 'f1']] as const) assert.equal(isRunning(record, turnId), false);
  });

  it('is the price of its own turn, and of no other', () => {
    assert.equal(recordedCost(done, 'f1'), 9);
    for (const [record, turnId] of [[done, 'f2'], [running, 'f1'], [null, 'f1'], [{ ...running, cost: 9 }, 'f1']] as const) assert.equal(recordedCost(record, turnId), 0);
    const { cost: _cost, ...unpriced } = done;
    assert.equal(recordedCost(unpriced, 'f1'), 0);
  });

  it('of a dead turn charges the part that was sent, as an estimate, and leaves it its name', () => {
    assert.deepEqual(abandonedRecord(running, lease, meter({ turn: lease }), now + 99), {
      ...running, state: 'done', expiresAt: now + 99, outcome: 'cut', reply: '', cost: 6, estimated: true, consumed: 36, remainingDOFs: 64,
    });
  });

  it('of a dead turn charges no more than was held', () => {
    const small = { ...lease, held: 4 };
    const { cost, consumed, remainingDOFs } = abandonedRecord(running, small, meter({ consumed: 96, turn: small }), now);
    assert.deepEqual([cost, consumed, remainingDOFs], [4, 100, 0]);
  });

  it('makes the posting agree with it, whoever posts', () => {
    const closed = abandonedRecord(running, lease, meter({ turn: lease }), now);
    assert.equal(post(meter({ turn: lease }), { fence: 'f1', cost: recordedCost(closed, lease.fence), streamed: true, idleMs: 60_000, settleEvery: 1_000 }, now)?.meter.consumed, closed.consumed);
  });

  it('betrays a holder that died between closing and posting, after two seconds', () => {
    assert.equal(diedBeforePosting(lease, done, now + 2_000), false);
    assert.equal(diedBeforePosting(lease, done, now + 2_001), true);
    for (const record of [null, running, { ...done, turnId: 'f2' }]) assert.equal(diedBeforePosting(lease, record, now + 60_000), false);
  });
});
