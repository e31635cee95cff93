/** A turn that waits for those before it. */
export interface Ticket {
  /** Its place: whoever has a lower one goes first. */
  place: number;
  /** ms since the epoch: when it was asked for, and when it stops waiting. */
  at: number;
  until: number;
  /** The member who asks; absent for the owner. */
  by?: string;
}

/** The turns that wait at a meter, and what decides who of them is next. */
export interface Line {
  /** Their tickets, by fence. */
  queue?: Record<string, Ticket>;
  /** ms since the epoch: when the last turn ended that others were waiting for. */
  freeAt?: number;
}

/** A line with the turn in flight and the members of its session. */
export interface LineOf extends Line {
  turn?: { expiresAt: number };
  members?: Record<string, unknown>;
}

/** How a caller waits: since when and until when (ms since the epoch), and beside how many others at most. */
export interface Waiting {
  since: number;
  until: number;
  most: number;
}

/** How long everybody who is ahead gets to take the free lease, ms: who does not has died. */
export const headStartMs = 2_000;

/** A wait that is worth telling of, ms. */
export const longWaitMs = 2_000;

/**
 * When a turn may take the lease if nothing changes until then, in ms since the epoch: the turn in flight is over, and
 * everybody ahead is past its time or has let a head start pass, one after the other. Who has no ticket is behind all who
 * have one.
 */
export function turnAt({ queue = {}, freeAt = 0, turn, members }: LineOf, fence: string): number {
  const place = queue[fence]?.place ?? Infinity;
  const ahead = Object.values(queue).filter((ticket) => ticket.place < place && isWelcome(ticket, members)).sort((one, other) => one.place - other.place);
  const [over, last] = [turn?.expiresAt ?? 0, Math.max(0, ...ahead.map(({ until }) => until))];
  const passed = ahead.reduce((theirs, { until }) => Math.min(theirs + headStartMs, Math.max(theirs, until)), turn?.expiresAt ?? freeAt);
  return Math.max(over, Math.min(passed, last));
}

/**
 * The tickets once this turn has one too, at the end unless it has its place already; null when too many others wait.
 * No member has more than half of the places, and its owner finds one whoever else waits. The dead keep
 * their tickets until somebody goes: those behind them count from when they died.
 */
export function withTicket(line: LineOf, fence: string, { since, until, most }: Waiting, by: string | undefined, now: number): Record<string, Ticket> | null {
  const { queue = {} } = line;
  if (Object.hasOwn(queue, fence)) return queue;
  const waiting = Object.values(living(line, now));
  const own = waiting.filter((ticket) => ticket.by === by).length;
  if (by === undefined ? own >= most : own >= Math.ceil(most / 2) || waiting.length >= most) return null;
  const last = Math.max(0, ...Object.values(queue).map(({ place }) => place));
  return { ...queue, [fence]: { place: last + 1, at: since, until, ...(by === undefined ? {} : { by }) } };
}

/** The tickets without the one of this turn. */
export function withoutTicket({ queue = {} }: Line, fence: string): Record<string, Ticket> {
  const { [fence]: _mine, ...others } = queue;
  return others;
}

/** The tickets of those who are not past their time and still members. */
export function living({ queue = {}, members }: LineOf, now: number): Record<string, Ticket> {
  return Object.fromEntries(Object.entries(queue).filter(([, ticket]) => ticket.until > now && isWelcome(ticket, members)));
}

/** A meter with these turns waiting; none is no field, as the database stores none. */
export function inLine<Meter extends Line>(meter: Meter, queue: Record<string, Ticket>): Omit<Meter, 'queue'> & Pick<Line, 'queue'> {
  const { queue: _before, ...rest } = meter;
  return Object.keys(queue).length === 0 ? rest : { ...rest, queue };
}

/** Whether who asks is still a member. */
function isWelcome({ by }: Ticket, members: LineOf['members'] = {}): boolean {
  return by === undefined || Object.hasOwn(members, by);
}
