/** An owner who is away, on the meter of its open session; in ms since the epoch. Absent while it is there, and for one who never showed its presence. */
export interface OwnerAway {
  /** From then on the session is paused: other members take no turn. */
  pausesAt: number;
  /** Then the session ends as idle, whatever the other members did meanwhile. */
  endsAt: number;
  /** How long before the pause it was seen last, ms. */
  graceMs: number;
  /** When the session ends as idle for want of turns. */
  idleAt: number;
}

/** The part of a meter that an absence changes. */
export interface Pausable {
  open: boolean;
  /** ms since the epoch when the sweep must look at the session. */
  dueAt?: number;
  ownerAway?: OwnerAway;
}

/** The meter when its owner's last connection has gone: the sweep looks at it again when the grace is over. The same object when it is closed, or knows. */
export function ownerGone<Meter extends Pausable>(meter: Meter, { ownerGraceMinutes = 2, idleTimeoutMinutes }: { ownerGraceMinutes?: number; idleTimeoutMinutes: number }, now: number): Meter {
  if (!meter.open || meter.ownerAway || meter.dueAt === undefined) return meter;
  // Sessions that began before there were pauses have no grace in their config.
  const graceMs = ownerGraceMinutes * 60_000;
  const pausesAt = now + graceMs;
  const ownerAway = { pausesAt, endsAt: pausesAt + idleTimeoutMinutes * 60_000, graceMs, idleAt: meter.dueAt };
  return usedUntil({ ...meter, ownerAway }, meter.dueAt);
}

/** The meter when its owner is there again: it is due when it is idle. The same object when it is closed, or the owner was not away. */
export function ownerBack<Meter extends Pausable>(meter: Meter): Meter {
  if (!meter.open || !meter.ownerAway) return meter;
  const { ownerAway: { idleAt }, ...rest } = meter;
  return { ...rest as Meter, dueAt: idleAt };
}

/** The meter when its owner is busy until then (ms since the epoch), connected or not: whoever is away pauses the session a grace later. The same object when the owner was not away. */
export function ownerBusy<Meter extends Pausable>(meter: Meter, until: number): Meter {
  if (!meter.ownerAway) return meter;
  const { pausesAt, endsAt, graceMs } = meter.ownerAway;
  return { ...meter, ownerAway: { ...meter.ownerAway, pausesAt: until + graceMs, endsAt: until + graceMs + endsAt - pausesAt } };
}

/** The open meter of a session that is idle at `idleAt`; while its owner is away it is due when the pause begins, at the latest. */
export function usedUntil<Meter extends Pausable>(meter: Meter, idleAt: number): Meter {
  const { ownerAway } = meter;
  return ownerAway ? { ...meter, ownerAway: { ...ownerAway, idleAt }, dueAt: Math.min(idleAt, ownerAway.pausesAt) } : { ...meter, dueAt: idleAt };
}

/** When the pause of a session began, in ms since the epoch; null when it is not paused. */
export function pausedAt({ open, ownerAway }: Pausable, now: number): number | null {
  return open && ownerAway && now >= ownerAway.pausesAt ? ownerAway.pausesAt : null;
}

/** When a session ends as idle whose owner stays away. */
export function endOf({ idleAt, endsAt }: OwnerAway): number {
  return Math.min(idleAt, endsAt);
}
