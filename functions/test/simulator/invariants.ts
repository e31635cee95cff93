import type { AgentDoc, UserDoc } from '../../src/agents/schema.ts';
import { heldOf, sumOf } from '../../src/credits/lots.ts';
import type { LedgerDoc, ResolvedHoldDoc } from '../../src/credits/schema.ts';
import type { Meter } from '../../src/live/meter.ts';
import { isDeleted } from '../../src/sessions/members.ts';
import type { SessionDoc } from '../../src/sessions/schema.ts';
import type { Change } from '../memory/firestore.ts';
import { broken, same, sorted } from './broken.ts';
import { MembershipRules } from './membership.ts';
import { limits } from './setup.ts';
import type { World } from './world.ts';

const agentPath = /^users\/[^/]+\/agents\/[^/]+$/;
const entryPath = /^(users\/[^/]+\/agents\/[^/]+)\/ledger\/([^/]+)$/;
const resolvedPath = /\/holds\/[^/]+$/;
const immutable = /\/(ledger|grants|holds|checkpoints)\/|^operations\//;
const moneyPath = /^(users\/[^/]+\/agents\/[^/]+|sessions\/[^/]+)$/;
/** How far the clocks of a simulation are off at most. */
const wrongClockMs = 10 * 60_000;
/** Events that go out beside the one of their change. */
const sideEvents = new Set(['agent.low_balance']);

interface Replay {
  sum: number;
  debt: number;
  seq: number;
  lots: Record<string, number>;
}

/**
 * Checks I1 to I8 and the members of sessions after every single commit, from nothing but what was committed: it replays
 * the ledger by itself and calls no rule of the product to tell what is right.
 */
export class Invariants {
  private readonly replays = new Map<string, Replay>();
  /** All DOFs ever held for a session, from the events of its commits. */
  readonly everHeld = new Map<string, number>();
  readonly membership: MembershipRules;
  private readonly expiries = new Map<string, number>();
  /** Holds that are posted when they expire. */
  private readonly prepaid = new Set<string>();
  private readonly world: World;
  broken: Error | null = null;

  constructor(world: World) {
    this.world = world;
    world.onCommit((changes) => this.guard(() => this.checkCommit(changes)));
    this.membership = new MembershipRules(world);
    world.onDatabaseWrite = (paths) => this.guard(() => paths.forEach((path) => {
      this.checkMeter(path);
      this.membership.checkWrite(path);
    }));
  }

  private guard(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.broken ??= error as Error;
    }
  }

  private checkCommit(changes: Change[]): void {
    const events = eventsIn(changes);
    for (const { type, subject, data } of events) {
      if (type === 'session.started') this.everHeld.set(subject, data.heldDOFs!);
      if (type === 'session.hold_extended') this.everHeld.set(subject, this.everHeld.get(subject)! + data.addedDOFs!);
    }
    const entries = changes.filter(({ path }) => entryPath.test(path)).sort((a, b) => (a.after as LedgerDoc).seq - (b.after as LedgerDoc).seq);
    for (const change of entries) this.enter(change);
    for (const change of changes) {
      if (immutable.test(change.path) && change.before !== undefined && !/\/checkpoints\/\d/.test(change.path)) broken('immutable', `${change.path} was changed`);
      if (resolvedPath.test(change.path)) this.checkExpiry(change);
      if (agentPath.test(change.path)) this.checkAgent(change.path, change.after as AgentDoc);
      if (/^sessions\/[^/]+$/.test(change.path)) this.checkSession(change);
    }
    checkEvents(changes, events);
    this.membership.checkCommit(changes);
  }

  /** I1, I5: an entry is created once, is whole and follows the one before. */
  private enter({ path, before, after }: Change): void {
    const [, agent = '', id = ''] = entryPath.exec(path)!;
    const entry = after as LedgerDoc;
    if (before !== undefined) broken('I5', `${path} was changed`);
    const replay = this.replays.get(agent) ?? { sum: 0, debt: 0, seq: 0, lots: {} };
    this.replays.set(agent, replay);
    replay.sum += entry.amount;
    replay.debt += entry.debt;
    replay.seq += 1;
    for (const { grantId, amount } of entry.lots) {
      replay.lots[grantId] = (replay.lots[grantId] ?? 0) + amount;
      if (!Number.isSafeInteger(amount) || replay.lots[grantId] < 0) broken('I1', `${path} takes ${amount} from ${grantId}`);
    }
    const facts = [id === entry.operationId, entry.amount === sumOf(entry.lots) - entry.debt, entry.balanceAfter === replay.sum, entry.seq === replay.seq, replay.debt >= 0];
    if (facts.includes(false)) broken('I1', `${path} does not add up: ${JSON.stringify([facts, entry])}`);
  }

  /** I1, I2, I4: the agent is what its ledger and its holds say. */
  private checkAgent(path: string, { currentDOFs, debtDOFs, heldDOFs, seq, lots, holds }: AgentDoc): void {
    const replay = this.replays.get(path) ?? { sum: 0, debt: 0, seq: 0, lots: {} };
    const open = Object.fromEntries(Object.entries(replay.lots).filter(([, amount]) => amount > 0));
    const found = Object.fromEntries(Object.entries(lots).map(([grantId, { remaining }]) => [grantId, remaining]));
    if (JSON.stringify(sorted(open)) !== JSON.stringify(sorted(found))) broken('I1', `${path} has the lots ${JSON.stringify(found)}, its ledger ${JSON.stringify(open)}`);
    if (currentDOFs !== replay.sum || debtDOFs !== replay.debt || seq !== replay.seq) broken('I1', `${path} has ${JSON.stringify({ currentDOFs, debtDOFs, seq })}, its ledger ${JSON.stringify(replay)}`);
    for (const [holdId, { expiresAt, onExpiry }] of Object.entries(holds)) {
      this.expiries.set(holdId, expiresAt.toMillis());
      if (onExpiry === 'post') this.prepaid.add(holdId);
    }
    for (const [grantId, { remaining }] of Object.entries(lots)) if (heldOf(grantId, holds) > remaining) broken('I2', `${path} holds more of ${grantId} than there is`);
    const held = Object.values(holds).reduce((sum, { amount }) => sum + amount, 0);
    if (held !== heldDOFs || Object.values(holds).some((hold) => hold.amount !== sumOf(hold.lots) || hold.amount < 0)) broken('I4', `${path} holds ${heldDOFs}, its holds ${held}`);
  }

  /** A hold expires, or is posted because it pays in advance, once its time is over, not before: by no more than a clock may be wrong. */
  private checkExpiry({ path, after }: Change): void {
    const { holdId, state } = after as ResolvedHoldDoc;
    const expiresAt = this.expiries.get(holdId);
    const prepaid = this.prepaid.has(holdId);
    if (prepaid && state === 'expired') broken('I10', `${path} pays in advance and was not posted`);
    if ((state === 'expired' || (prepaid && state === 'posted')) && (expiresAt === undefined || expiresAt > this.world.scheduler.now + wrongClockMs)) broken('I10', `${path} expired before its time`);
  }

  /** I3, I4, I6, I7: a session only goes forward, and its money is whole. */
  private checkSession({ path, before, after }: Change): void {
    const [was, is] = [before as SessionDoc | undefined, after as SessionDoc];
    if (was?.status === 'ended' && (is.status !== 'ended' || is.closeReason !== was.closeReason || is.consumedDOFs !== was.consumedDOFs)) broken('I7', `${path} changed after its end: ${JSON.stringify([was.status, was.closeReason, was.consumedDOFs, is.status, is.closeReason, is.consumedDOFs])}`);
    if (was?.settlement === 'done' && !isDeleted(is) && (!same(settledPart(was), settledPart(is)) || (was.cleanupAt === null && is.cleanupAt !== null))) broken('I7', `${path} changed after its settlement`);
    if (was && isDeleted(was) && !(isDeleted(is) && is.memberIds.length === 0)) broken('I7', `${path} came back after it was deleted`);
    if (was && is.version !== was.version + 1 && !isTended(was, is)) broken('I8', `${path} skips a version`);
    if (is.settledDOFs > is.consumedDOFs || is.consumedDOFs > limits.maxDOFsPerSession) broken('I3', `${path} settled ${is.settledDOFs} of ${is.consumedDOFs}`);
    const agent = this.world.firestore.snapshotAt(`users/${is.ownerId}/agents/${is.agentInstanceId}`).data() as AgentDoc;
    if ((agent.holds[is.sessionId]?.amount ?? 0) !== is.heldDOFs) broken('I4', `${path} holds ${is.heldDOFs}, its agent ${agent.holds[is.sessionId]?.amount}`);
    const user = this.world.firestore.snapshotAt(`users/${is.ownerId}`).data() as UserDoc;
    if (Object.keys(user.activeSessions).length > limits.maxSessionsPerUser) broken('I6', `${is.ownerId} has ${JSON.stringify(user.activeSessions)}`);
    if ((user.activeSessions[is.sessionId] !== undefined) !== (is.status === 'active')) broken('I6', `${path} is ${is.status}, its user says ${JSON.stringify(user.activeSessions)}`);
    if (is.settlement === 'done') this.checkResolved(path, is);
  }

  /** I4: held = settled + released. */
  private checkResolved(path: string, { sessionId, ownerId, agentInstanceId, settledDOFs, consumedDOFs }: SessionDoc): void {
    const hold = this.world.firestore.snapshotAt(`users/${ownerId}/agents/${agentInstanceId}/holds/${sessionId}`).data() as ResolvedHoldDoc | undefined;
    if (settledDOFs !== consumedDOFs || hold?.postedDOFs !== settledDOFs || hold.postedDOFs + hold.releasedDOFs !== this.everHeld.get(sessionId)) broken('I4', `${path}: settled ${settledDOFs} of ${consumedDOFs}, resolved ${JSON.stringify(hold)}, ever held ${this.everHeld.get(sessionId)}`);
  }

  /** I3: a meter never spends beyond its limit, nor is the limit beyond what was held. */
  private checkMeter(path: string): void {
    const sessionId = /^\/?meters\/([^/]+)/.exec(path)?.[1];
    const meter = sessionId === undefined ? null : this.world.node(`meters/${sessionId}`) as Meter | null;
    if (!meter || sessionId === undefined) return;
    const held = this.everHeld.get(sessionId) ?? 0;
    if (meter.consumed > meter.limit || meter.limit > held || (meter.turn && meter.consumed + meter.turn.held > meter.limit)) broken('I3', `meters/${sessionId} is ${JSON.stringify(meter)}, held were ${held}`);
  }
}

/** What of a settled session never changes: all but its members and whether its live state is gone. */
function settledPart({ members: _members, memberIds: _ids, memberCaps: _caps, removedAt: _removed, version: _version, cleanupAt: _cleanupAt, ...rest }: SessionDoc): unknown {
  return sorted(rest);
}

interface CommittedEvent {
  type: string;
  subject: string;
  data: { heldDOFs?: number; addedDOFs?: number };
}

function eventsIn(changes: Change[]): CommittedEvent[] {
  return changes.filter(({ path, before }) => path.startsWith('outbox/') && before === undefined).map(({ after }) => after as CommittedEvent);
}

/** I8: a commit that changes money or a session has exactly one event, and one that does not has none. */
function checkEvents(changes: Change[], events: CommittedEvent[]): void {
  const what = `a commit of ${changes.map(({ path }) => path).join(', ')}`;
  if (changes.some(({ path }) => path === 'config/server')) return;
  const main = events.filter(({ type }) => !sideEvents.has(type));
  const changed = changes.some(({ path, before, after }) => moneyPath.test(path) && (after as SessionDoc).version !== (before as SessionDoc | undefined)?.version || agentPath.test(path));
  // One lapse may resolve several holds and lots, and a voice token that is asked for again replaces its hold; each of them has its event.
  const holds = changes.filter(({ path }) => resolvedPath.test(path)).length + main.filter(({ type }) => type === 'hold.placed').length;
  const most = main.some(({ type }) => type === 'agent.dofs_expired') ? Infinity : Math.max(1, holds);
  if (changed ? main.length < 1 || main.length > most : main.length > 0) broken('I8', `${what} has the events ${events.map(({ type }) => type).join()}`);
}

/** Whether only the moment has changed at which a session that is over is looked at again; one that was deleted may be so more than once. */
function isTended(was: SessionDoc, is: SessionDoc): boolean {
  return is.version === was.version && (is.cleanupAt === null ? was.cleanupAt !== null : isDeleted(is));
}
