import type { Meter, MeterMember } from '../../src/live/meter.ts';
import { isDeleted } from '../../src/sessions/members.ts';
import type { SessionDoc } from '../../src/sessions/schema.ts';
import type { InviteDoc } from '../../src/sharing/schema.ts';
import type { Change } from '../memory/firestore.ts';
import { broken, same, sorted } from './broken.ts';
import { limits } from './setup.ts';
import type { World } from './world.ts';

/** Who the members of a session are, as one commit left them. */
type Membership = Pick<SessionDoc, 'ownerId' | 'members' | 'memberIds' | 'memberCaps' | 'version'>;

const sessionPath = /^sessions\/[^/]+$/;
const invitePath = /^sessions\/([^/]+)\/invites\/[^/]+$/;

/**
 * Checks after every commit and every write to the live state who the members of a session are and what they may do,
 * from nothing but what was committed and written.
 */
export class MembershipRules {
  /** Every version of a session, in order. */
  private readonly versions = new Map<string, Membership[]>();
  /** The highest cap that somebody was ever given in a session, by `sessionId/uid`; Infinity for none. */
  private readonly caps = new Map<string, number>();
  /** Meters as the write before has left them. */
  private readonly meters = new Map<string, Meter>();
  private readonly shown = new Map<string, number>();
  /** The latest version of a session that somebody was told of who is no member any more. */
  private readonly told = new Map<string, number>();
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  checkCommit(changes: Change[]): void {
    for (const change of changes) {
      if (sessionPath.test(change.path)) this.checkSession(change, changes);
      if (invitePath.test(change.path)) this.checkInvite(change, changes);
    }
  }

  /** To be called after every write to the Realtime Database. */
  checkWrite(path: string): void {
    const [, root, sessionId] = /^\/?(live|meters)\/([^/]+)/.exec(path) ?? [];
    if (sessionId === undefined) return;
    if (root === 'live') this.checkLive(sessionId);
    else this.checkMeter(sessionId);
  }

  /** How far a session is: to be asked before a client asks for a change of its members. */
  versionOf(sessionId: string): number {
    return this.versions.get(sessionId)?.at(-1)?.version ?? 0;
  }

  /** A client was told that somebody is a member from now on, or is none any more: that was committed after `since`, and live state and meter know. */
  checkTold(sessionId: string, uid: string, { member, since }: { member: boolean; since: number }): void {
    const done = this.versions.get(sessionId)?.find(({ version, members }) => version >= since && (uid in members) === member);
    if (!done) broken('members', `${uid} was told to be ${member ? 'a' : 'no'} member of ${sessionId}`);
    if (!member) this.told.set(sessionId, Math.max(done.version, this.told.get(sessionId) ?? 0));
    const live = this.world.node(`live/${sessionId}`) as { version: number } | null;
    if (live && live.version < done.version) broken('members', `live/${sessionId} is of version ${live.version} when ${uid} is told of ${done.version}`);
    const meter = this.world.node(`meters/${sessionId}`) as Meter | null;
    if (meter?.open && (meter.membersVersion ?? 0) < done.version) broken('members', `meters/${sessionId} knows members of version ${meter.membersVersion} when ${uid} is told of ${done.version}`);
  }

  /** Invites go with a session that its owner has deleted, and with no other. */
  private checkInvite(change: Change, changes: Change[]): void {
    if (change.after !== undefined) return checkInvite(change, changes);
    const session = this.world.firestore.snapshotAt(`sessions/${invitePath.exec(change.path)![1]!}`).data() as SessionDoc | undefined;
    if (!session || !isDeleted(session)) broken('members', `${change.path} is gone`);
  }

  private checkSession({ path, before, after }: Change, changes: Change[]): void {
    const [was, is] = [before as SessionDoc | undefined, after as SessionDoc];
    const { sessionId, ownerId, members, memberIds, memberCaps, version } = is;
    if (isDeleted(is)) return;
    const facts = [
      same(Object.keys(members).toSorted(), memberIds.toSorted()), memberIds[0] === ownerId, memberIds.length <= limits.maxMembers,
      Object.entries(members).every(([uid, role]) => (role === 'owner') === (uid === ownerId)),
      Object.entries(memberCaps).every(([uid, cap]) => members[uid] === 'player' && Number.isSafeInteger(cap) && cap > 0),
    ];
    if (facts.includes(false)) broken('members', `${path} contradicts itself: ${JSON.stringify([facts, members, memberIds, memberCaps])}`);
    this.versions.set(sessionId, [...this.versions.get(sessionId) ?? [], { ownerId, members, memberIds, memberCaps, version }]);
    for (const uid of memberIds) this.caps.set(`${sessionId}/${uid}`, Math.max(memberCaps[uid] ?? Infinity, this.caps.get(`${sessionId}/${uid}`) ?? 0));
    checkChange(path, was ?? { members: { [ownerId]: 'owner' }, memberIds: [ownerId], memberCaps: {} }, is, changes);
  }

  /** `live/` shows the members of the version that it names, and never goes back to an older one, nor to one before a removal that was confirmed. */
  private checkLive(sessionId: string): void {
    const live = this.world.node(`live/${sessionId}`) as { version?: number; members?: Record<string, string> } | null;
    if (!live?.members) return;
    const { version = 0, members } = live;
    const least = Math.max(this.shown.get(sessionId) ?? 0, this.told.get(sessionId) ?? 0);
    if (version < least) broken('members', `live/${sessionId} goes back from version ${least} to ${version}`);
    this.shown.set(sessionId, version);
    const committed = this.at(sessionId, version);
    if (!same(sorted(members), sorted(committed.members))) broken('members', `live/${sessionId} shows ${JSON.stringify(members)} as version ${version}, which has ${JSON.stringify(committed.members)}`);
  }

  private checkMeter(sessionId: string): void {
    const meter = this.world.node(`meters/${sessionId}`) as Meter | null;
    const before = this.meters.get(sessionId);
    if (!meter) return void this.meters.delete(sessionId);
    this.meters.set(sessionId, meter);
    if (meter.open) this.checkPlayers(sessionId, meter, before);
    this.checkSpent(sessionId, meter, before);
    if (meter.turn && meter.turn.fence !== before?.turn?.fence) checkLease(sessionId, meter, before);
  }

  /** The same of the meter. */
  private checkPlayers(sessionId: string, { members = {}, membersVersion = 0 }: Meter, before: Meter | undefined): void {
    const least = Math.max(before?.membersVersion ?? 0, this.told.get(sessionId) ?? 0);
    if (membersVersion < least) broken('members', `meters/${sessionId} goes back from the members of version ${least} to ${membersVersion}`);
    const wanted = playersOf(this.at(sessionId, membersVersion));
    if (!same(playersAsTold(members), playersAsTold(wanted))) broken('members', `meters/${sessionId} has ${JSON.stringify(members)} of version ${membersVersion}, which has ${JSON.stringify(wanted)}`);
  }

  /** Nobody spends more than the highest cap that it was ever given, and all together no more than is consumed. */
  private checkSpent(sessionId: string, { spent = {}, consumed }: Meter, before: Meter | undefined): void {
    const over = Object.entries(spent).filter(([uid, dofs]) => !(dofs <= (this.caps.get(`${sessionId}/${uid}`) ?? -1)) || dofs < (before?.spent?.[uid] ?? 0));
    const all = Object.values(spent).reduce((sum, dofs) => sum + dofs, 0);
    const lost = Object.keys(before?.spent ?? {}).filter((uid) => !(uid in spent));
    if (over.length > 0 || lost.length > 0 || all > consumed) broken('members', `meters/${sessionId} says that ${JSON.stringify(spent)} of ${consumed} were spent, before ${JSON.stringify(before?.spent ?? {})}`);
  }

  private at(sessionId: string, version: number): Membership {
    return this.versions.get(sessionId)?.find((each) => each.version === version) ?? broken('members', `${sessionId} has no version ${version}`);
  }
}

/** A turn that begins is by the owner, or by a player whom the meter knew and whose cap covers what is held. */
function checkLease(sessionId: string, { turn, spent }: Meter, before: Meter | undefined): void {
  const { by, held } = turn!;
  if (by === undefined) return;
  const member = before?.members?.[by];
  if (member?.role !== 'player' || (spent?.[by] ?? 0) + held > (member.cap ?? Infinity)) broken('members', `a turn of ${by} over ${held} begins on meters/${sessionId}, which was ${JSON.stringify(before)}`);
}

/** One member at a time comes, by an invite that is used up in the same commit, or goes; the others stay as they are. */
function checkChange(path: string, was: Pick<Membership, 'members' | 'memberIds' | 'memberCaps'>, { members, memberIds, memberCaps }: SessionDoc, changes: Change[]): void {
  const came = memberIds.filter((uid) => !(uid in was.members));
  const gone = was.memberIds.filter((uid) => !(uid in members));
  const stayed = memberIds.filter((uid) => uid in was.members);
  if (stayed.some((uid) => members[uid] !== was.members[uid] || memberCaps[uid] !== was.memberCaps[uid])) broken('members', `${path} changes members who stay`);
  const told = changes.flatMap(({ path: at, after }) => (at.startsWith('outbox/') ? [after as { type: string; data: { memberId?: string } }] : [])).filter(({ type }) => type === 'session.member_joined' || type === 'session.member_left');
  const wanted = [...came.map((uid) => ['session.member_joined', uid]), ...gone.map((uid) => ['session.member_left', uid])];
  if (wanted.length > 1 || !same(told.map(({ type, data }) => [type, data.memberId]), wanted)) broken('members', `${path}: ${came.join()} came, ${gone.join()} went, told as ${JSON.stringify(told)}`);
  const used = changes.flatMap(({ path: at, before, after }) => (invitePath.test(at) && (before as InviteDoc | undefined)?.usedBy === null ? [after as InviteDoc] : [])).filter(({ usedBy }) => usedBy !== null);
  const invited = used.map(({ usedBy, role, capDOFs }) => [usedBy, role, capDOFs]);
  if (!same(invited, came.map((uid) => [uid, members[uid], memberCaps[uid] ?? null]))) broken('members', `${path}: ${came.join()} came, the invites used are ${JSON.stringify(invited)}`);
}

/** An invite is made by the owner, ends once, used by somebody who joins with it in time or revoked, and keeps its terms. */
function checkInvite({ path, before, after }: Change, changes: Change[]): void {
  const [was, is] = [before as InviteDoc | undefined, after as InviteDoc];
  const session = changes.find((change) => change.path === `sessions/${invitePath.exec(path)![1]!}`)?.after as SessionDoc | undefined;
  if (!session) broken('members', `${path} changes without its session`);
  const { usedBy, usedAt, revokedAt, ...terms } = is;
  if (!was) {
    if (usedBy !== null || usedAt !== null || revokedAt !== null || is.createdBy !== session.ownerId) broken('members', `${path} begins as ${JSON.stringify(is)}`);
    return;
  }
  const { usedBy: _by, usedAt: _at, revokedAt: _revoked, ...termsBefore } = was;
  const used = usedBy !== null && usedAt !== null && revokedAt === null && usedAt.toMillis() < is.expiresAt.toMillis() && usedBy in session.members;
  const revoked = usedBy === null && usedAt === null && revokedAt !== null;
  if (was.usedBy !== null || was.revokedAt !== null || !same(sorted(termsBefore), sorted(terms)) || !(used || revoked)) broken('members', `${path} goes from ${JSON.stringify(was)} to ${JSON.stringify(is)}`);
}

/** The members of a session beside its owner, as its meter is to know them. */
export function playersOf({ ownerId, members, memberCaps }: Pick<Membership, 'ownerId' | 'members' | 'memberCaps'>): Record<string, MeterMember> {
  const others = Object.entries(members).filter(([uid]) => uid !== ownerId);
  return Object.fromEntries(others.map(([uid, role]) => [uid, { role: role as MeterMember['role'], ...(memberCaps[uid] === undefined ? {} : { cap: memberCaps[uid] }) }]));
}

/** The same for the same members, in whatever order the database keeps them. */
export function playersAsTold(members: Record<string, MeterMember>): unknown {
  return sorted(members).map(([uid, { role, cap }]) => [uid, role, cap ?? null]);
}
