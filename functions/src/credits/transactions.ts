import type { EventType } from '../events/events.ts';

/** The field of each event about a changed balance that says how many DOFs were moved. What is set aside for a while is no transaction. */
const amountFields = {
  'agent.dofs_granted': 'amount',
  'agent.dofs_expired': 'expiredDOFs',
  'agent.grant_voided': 'voidedDOFs',
  'agent.balance_adjusted': 'amount',
  'hold.posted': 'postedDOFs',
} as const satisfies Partial<Record<EventType, string>>;

/** DOFs that an event about an agent tells of as moved, negative for an adjustment that takes; null for an event that is about no transaction. */
export function amountOf({ type, data }: { type: EventType; data: Record<string, unknown> }): number | null {
  return type in amountFields ? data[amountFields[type as keyof typeof amountFields]] as number : null;
}
