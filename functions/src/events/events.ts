/** Topics of seed 001; each event type belongs to one of them. */
export type Topic = 'agent-events' | 'transaction-events' | 'session-events' | 'notification-events';

/** Event types in use: those of seed 001, and those it lacks, foremost for every change of money. */
const topicOfType = {
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
  'session.ended': 'session-events',
  'session.deleted': 'session-events',
  'session.dof_update': 'session-events',
  'session.settled': 'transaction-events',
  'turn.degraded': 'session-events',
  'user.created': 'notification-events',
} as const satisfies Record<string, Topic>;
export type EventType = keyof typeof topicOfType;

/** A business event on its way to the outbox. */
export interface DomainEvent {
  eventId: string;
  type: EventType;
  topic: Topic;
  /** What it is about; events of one subject are published under one ordering key. */
  subject: string;
  /** The subject's version after the change: lets a consumer order events and notice a gap. */
  sequence: number;
  data: Record<string, unknown>;
}

/** The subject of events about an agent: agent ids are unique only among those of one user, and an id has no `:`. */
export function agentSubject({ userId, agentInstanceId }: { userId: string; agentInstanceId: string }): string {
  return `${userId}:${agentInstanceId}`;
}

/** An event about `subject`. Its id follows from subject, type and sequence, so a repeated change makes no second event. */
export function newEvent(event: { type: EventType; subject: string; sequence: number; data: Record<string, unknown> }): DomainEvent {
  const { type, subject, sequence, data } = event;
  return { eventId: `${subject}-${String(sequence).padStart(6, '0')}-${type}`, type, topic: topicOfType[type], subject, sequence, data };
}

/** The envelope that consumers receive (seed 001, event bus). */
export interface Envelope {
  id: string;
  type: EventType;
  timestamp: string;
  data: Record<string, unknown>;
  metadata: { version: '1.0'; source: 'jiga'; subject: string; sequence: number };
}

/** Wraps an event for publication; `at` is the moment of the change. */
export function toEnvelope(event: DomainEvent, at: Date): Envelope {
  const { eventId, type, data, subject, sequence } = event;
  return { id: eventId, type, timestamp: at.toISOString(), data, metadata: { version: '1.0', source: 'jiga', subject, sequence } };
}
