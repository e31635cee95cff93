import assert from 'node:assert/strict';
import fc from 'fast-check';
import { newEvent, toEnvelope, type EventType, type Topic } from './events.ts';

const topics: Record<EventType, Topic> = {
  'agent.updated': 'agent-events',
  'agent.low_balance': 'notification-events',
  'agent.dofs_granted': 'transaction-events',
  'agent.dofs_expired': 'transaction-events',
  'agent.grant_voided': 'transaction-events',
  'agent.balance_adjusted': 'transaction-events',
  'agent.balance_repaired': 'transaction-events',
  'hold.placed': 'transaction-events',
  'hold.posted': 'transaction-events',
  'hold.released': 'transaction-events',
  'hold.expired': 'transaction-events',
  'platform.low_balance': 'notification-events',
  'platform.model_retiring': 'notification-events',
  'session.started': 'session-events',
  'session.imported': 'session-events',
  'session.hold_extended': 'session-events',
  'session.taken_over': 'session-events',
  'session.voice_token_minted': 'session-events',
  'session.renamed': 'session-events',
  'session.invite_created': 'session-events',
  'session.invite_revoked': 'session-events',
  'session.member_joined': 'session-events',
  'session.member_left': 'session-events',
  'session.ended': 'session-events', 'session.deleted': 'session-events',
  'session.dof_update': 'session-events',
  'session.settled': 'transaction-events',
  'turn.degraded': 'session-events',
  'user.created': 'notification-events',
};
const types = Object.keys(topics) as EventType[];
// Few subjects and sequences, so that two events are often the same, or alike.
const anyEvent = fc.record({ type: fc.constantFrom(...types), subject: fc.constantFrom('s', 's-', 's-000001', 's1', '1', '-1'), sequence: fc.constantFrom(1, 2, 11, 1_000_001) });

describe('events', () => {
  it('go to the topic of their type', () => {
    for (const type of types) assert.equal(newEvent({ type, subject: 's1', sequence: 1, data: {} }).topic, topics[type]);
  });

  it('carry what they are about', () => {
    assert.deepEqual(newEvent({ type: 'session.ended', subject: 's1', sequence: 7, data: { closeReason: 'idle' } }), {
      eventId: 's1-000007-session.ended', type: 'session.ended', topic: 'session-events', subject: 's1', sequence: 7, data: { closeReason: 'idle' },
    });
  });

  it('have the same id for the same change, whatever they say', () => {
    fc.assert(fc.property(anyEvent, (event) => {
      assert.equal(newEvent({ ...event, data: { a: 1 } }).eventId, newEvent({ ...event, data: { b: 2 } }).eventId);
    }));
  });

  it('have another id for any other change', () => {
    fc.assert(fc.property(anyEvent, anyEvent, (one, other) => {
      const same = one.type === other.type && one.subject === other.subject && one.sequence === other.sequence;
      assert.equal(newEvent({ ...one, data: {} }).eventId === newEvent({ ...other, data: {} }).eventId, same);
    }));
  });

  it('of one subject sort by their ids as they happened', () => {
    const ids = [2, 10, 100, 999_999, 1].map((sequence) => newEvent({ type: 'session.dof_update', subject: 's1', sequence, data: {} }).eventId);
    assert.deepEqual(ids.toSorted().map((id) => Number(id.split('-')[1])), [1, 2, 10, 100, 999_999]);
  });

  it('have ids that are one path segment', () => {
    fc.assert(fc.property(anyEvent, (event) => assert.match(newEvent({ ...event, data: {} }).eventId, /^[A-Za-z0-9_.-]+$/)));
  });
});

describe('the envelope of an event', () => {
  it('has the shape of the seed, with what orders it', () => {
    const event = newEvent({ type: 'session.settled', subject: 's1', sequence: 3, data: { delta: 40 } });
    assert.deepEqual(toEnvelope(event, new Date('2026-11-01T12:00:00Z')), {
      id: 's1-000003-session.settled',
      type: 'session.settled',
      timestamp: '2026-11-01T12:00:00.000Z',
      data: { delta: 40 },
      metadata: { version: '1.0', source: 'jiga', subject: 's1', sequence: 3 },
    });
  });

  it('survives the way through Pub/Sub', () => {
    const envelope = toEnvelope(newEvent({ type: 'user.created', subject: 'u1', sequence: 1, data: { userId: 'u1' } }), new Date(0));
    assert.deepEqual(JSON.parse(JSON.stringify(envelope)), envelope);
  });
});
