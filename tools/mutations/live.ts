import type { Mutation } from './mutation.ts';
import { crash, unit } from './tests.ts';

const meter = { file: 'live/meter.ts', tests: [unit('live/meter')] };
const line = { guard: 'fence' as const, tests: [unit('live/queue')] };
const paused = [unit('presence/pause')];
const requests = { file: 'live/requests.ts', tests: [unit('live/requests')] };

/** Mutants of the meter and of what a turn does on it. */
export const liveMutations: Mutation[] = [
  { ...meter, guard: 'negative amount', what: 'A turn begins although the meter cannot pay the least for it.', find: 'if (!(Math.min(claim.least, wanted) <= held))', replace: 'if (held < 0)' },
  { ...meter, guard: 'negative amount', what: 'A turn begins at a price that is no number.', find: 'if (!(Math.min(claim.least, wanted) <= held))', replace: 'if (Math.min(claim.least, wanted) > held)' },
  { ...meter, guard: 'negative amount', what: 'A turn holds more than the meter has left.', find: 'Math.min(wanted, remaining(meter))', replace: 'wanted' },
  { ...meter, guard: 'negative amount', what: 'The meter does not count what the turn in flight holds.', find: ' - (meter.turn?.held ?? 0)', replace: '' },
  { ...meter, guard: 'negative amount', what: 'A turn is posted at more than it held.', find: 'Math.min(posting.cost, turn.held)', replace: 'posting.cost' },
  { ...meter, guard: 'member', what: 'Anybody takes turns.', find: "if (member === undefined) return { kind: 'stranger' };", replace: '' },
  { ...meter, guard: 'member', what: 'Spectators take turns.', find: "if (member?.role === 'spectator')", replace: 'if (now < 0)' },
  { ...meter, guard: 'member', what: 'A member holds more than its cap leaves.', find: 'Math.min(claim.held, allowed)', replace: 'claim.held' },
  { ...meter, guard: 'member', what: 'What a member consumes is not counted.', find: 'turn.by === undefined ? {} : { spent', replace: 'turn.by !== null ? {} : { spent' },
  { ...meter, guard: 'member', what: 'An older version of the members replaces a newer one.', find: '(meter.membersVersion ?? 0) >= version', replace: 'version < 0' },
  { ...requests, guard: 'idempotency', what: 'A request id is answered from its record although its body differs.', find: 'if (record.hash !== claim.hash)', replace: 'if (record.hash === null)' },
  { ...requests, guard: 'idempotency', what: 'A request that is done runs again.', find: "if (record.state === 'done') return", replace: 'if (now < 0) return' },
  { ...requests, guard: 'idempotency', what: 'A request that another attempt runs is run beside it.', find: "now < record.expiresAt ? { kind: 'running'", replace: "now < 0 ? { kind: 'running'" },
  { ...requests, guard: 'idempotency', what: 'A request is closed by an attempt that was taken over.', find: "record?.state === 'running' && record.turnId === turnId", replace: "record?.state === 'running'" },
  { ...requests, guard: 'idempotency', what: 'A request is closed twice.', find: "record?.state === 'running' && record.turnId === turnId", replace: 'record?.turnId === turnId' },
  { ...requests, guard: 'idempotency', what: 'A turn is posted at the price of another attempt.', find: "record?.state === 'done' && record.turnId === turnId", replace: "record?.state === 'done'" },
  { ...meter, guard: 'expiry', what: 'A turn begins although the time of the session is over.', find: 'if (now >= meter.expiresAt)', replace: 'if (now < 0)' },
  { ...meter, guard: 'expiry', what: 'The sweep ends sessions that are in use.', find: 'meter.dueAt <= now && ', replace: '' },
  { ...meter, guard: 'fence', what: 'A client that was taken over goes on.', find: 'claim.generation !== undefined &&', replace: 'now < 0 &&' },
  { ...meter, guard: 'fence', what: 'A lease is taken over while it lasts.', find: 'if (meter.turn && now < meter.turn.expiresAt)', replace: 'if (meter.turn && now < 0)' },
  { ...meter, guard: 'fence', what: 'A turn begins without resolving the dead one before it.', find: "if (meter.turn) return { kind: 'abandoned', meter };", replace: '' },
  { ...meter, guard: 'fence', what: 'A turn is posted by somebody who no longer holds the lease.', find: 'if (meter?.turn?.fence !== posting.fence)', replace: 'if (!meter?.turn)' },
  { ...meter, guard: 'close once', what: 'A turn begins on a closed meter.', find: 'if (!meter.open) return', replace: 'if (now < 0) return' },
  { ...meter, guard: 'close once', what: 'Closing a meter again changes its reason.', find: 'return meter.open ? {', replace: 'return meter ? {' },
  { ...line, what: 'A turn begins ahead of those that have waited longer.', file: 'live/meter.ts', find: 'if (now < at) return notYet', replace: 'if (now < 0) return notYet' },
  { ...line, what: 'A caller who does not wait comes before those who do.', file: 'live/queue.ts', find: '?.place ?? Infinity', replace: '?.place ?? 0' },
  { ...line, what: 'One who died while waiting keeps everybody behind it.', file: 'live/queue.ts', find: 'Math.min(theirs + headStartMs, Math.max(theirs, until))', replace: 'Math.max(theirs, until)' },
  { ...line, what: 'As many wait as like.', file: 'live/queue.ts', find: '.length >= most', replace: '.length < 0' },
  { guard: 'member', what: 'A member makes the hold grow beyond what its cap lets it consume.', file: 'live/lease.ts', find: 'acquired.limit, acquired.missing', replace: 'acquired.limit, held - acquired.remaining', tests: [unit('live/lease')] },
  { guard: 'fence', what: 'A lease is given back although its turn was charged.', file: 'live/lease.ts', find: 'unpaid: won', replace: 'unpaid: true', tests: [unit('live/lease')] },
  { guard: 'fence', what: 'A turn that could not begin leaves its ticket and its lease behind.', file: 'live/lease.ts', find: 'if (onMeter) await', replace: 'if (!onMeter) await', tests: [unit('live/lease'), unit('live/waiting')] },
  { guard: 'fence', what: 'A turn that somebody else has resolved goes on being shown.', file: 'live/stream.ts', find: 'if (!this.closed.aborted) act();', replace: 'act();', tests: [unit('live/stream')] },
  { guard: 'expiry', what: 'What was said in a session stays readable for as long as it lasts.', file: 'live/store-streams.ts', find: ', ...gone(sessionId, outdated) }', replace: ' }', tests: [unit('live/kept-streams')] },
  { guard: 'member', what: 'Members take turns in a paused session.', file: 'live/meter.ts', find: "if (claim.by !== undefined && pausedAt(meter, now) !== null)", replace: 'if (now < 0)', tests: paused },
  { guard: 'member', what: 'A turn of anybody ends the pause.', file: 'live/meter.ts', find: 'by === undefined ? ownerBusy(meter, turn.expiresAt) : meter', replace: 'ownerBusy(meter, turn.expiresAt)', tests: paused },
  { guard: 'member', what: 'Who is no member is shown as online.', file: 'presence/presence.ts', find: ' && Object.hasOwn(live.members ?? {}, uid)', replace: '', tests: [unit('presence/presence')] },
  { guard: 'quota', what: 'A member has as many connections as it likes.', file: 'presence/presence.ts', find: 'latestFirst.slice(maxConnections)', replace: 'latestFirst.slice(latestFirst.length)', tests: [unit('presence/presence'), unit('presence/store')] },
  { guard: 'expiry', what: 'The sweep ends a session whose owner has only just gone.', file: 'presence/due.ts', find: 'endOf(ownerAway) <= now', replace: 'now > 0', tests: paused },
  { guard: 'expiry', what: 'Members keep a session open whose owner stays away.', file: 'presence/pause.ts', find: 'Math.min(idleAt, endsAt)', replace: 'idleAt', tests: paused },
  {
    guard: 'idempotency', what: 'A request id is claimed over the record that is there.', file: 'live/store-requests.ts',
    find: "verdict.kind === 'new' ? claim : undefined", replace: 'claim', tests: [unit('live/store'), crash('processFrame')],
  },
  {
    guard: 'idempotency', what: 'A request is closed without asking whose it is.', file: 'live/store-requests.ts',
    find: 'if (isRunning(current, turnId)) return', replace: 'if (current) return', tests: [unit('live/store'), crash('processFrame after one that died')],
  },
  {
    guard: 'idempotency', what: 'A start that is repeated resets the meter.', file: 'live/store.ts',
    find: 'if (current === null) return fresh;', replace: 'if (current?.open !== false) return fresh;', tests: [unit('live/store')],
  },
  {
    guard: 'close once', what: 'A session ends with the reason of who came last.', file: 'live/drain.ts',
    find: '(meter?.closeReason ?? reason)', replace: 'reason', tests: [unit('live/store')],
  },
  {
    guard: 'member', what: 'A change of the members fails beside a turn of the same process.', file: 'live/store.ts',
    find: 'current?.version === undefined', replace: 'current === null', tests: [unit('live/store')],
  },
];
