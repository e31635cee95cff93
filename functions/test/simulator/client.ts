import type { z } from 'zod';
import type { DriftKind } from '../../src/audit/facts.ts';
import { auditPage } from '../../src/audit/store.ts';
import { foldTurns } from '../../src/history/fold.ts';
import { readSummary } from '../../src/history/store-summary.ts';
import { summaryNotes, turnsToRead, windowOf } from '../../src/history/summary.ts';
import type { Background } from '../../src/live/abilities.ts';
import { operations } from '../../src/operations.ts';
import { requireContext } from '../../src/live/context.ts';
import { processFrameInput } from '../../src/live/schema.ts';
import { lastTurns } from '../../src/live/store-turns.ts';
import { processTurn } from '../../src/live/turn.ts';
import type { SeenFrame } from '../../src/providers/media/vision.ts';
import type { Media } from '../../src/providers/types.ts';
import { runSweep } from '../../src/ops/sweep.ts';
import { AppError } from '../../src/runtime/errors.ts';
import type { Operation } from '../../src/runtime/operation.ts';
import { newId, now } from '../../src/runtime/system.ts';
import { endSession } from '../../src/sessions/lifecycle.ts';
import type { shareSessionInput } from '../../src/sharing/schema.ts';
import { abilitiesWith } from '../abilities.ts';
import { frames } from '../frames.ts';
import { Broken } from './broken.ts';
import type { MembershipRules } from './membership.ts';
import { fakeProvider, type Behaviour } from './provider.ts';
import { administrator, agentId } from './setup.ts';
import { ProcessDied, type Process, type World } from './world.ts';

/** What the clients of a world were told: the only truth they have. */
export interface Told {
  /** Price of every turn by `sessionId/requestId/player`. */
  turns: Map<string, number>;
  /** Results of administrators' operations by operation and key. */
  money: Map<string, { amount: number; entryId: string | null }>;
  /** Refusals, by reason. */
  refusals: Map<string, number>;
}

/** An invite as its owner was given it. */
export interface GivenInvite {
  sessionId: string;
  inviteId: string;
  invite: string;
}

/** What a frame looks like: every other one is as the one before, and may be answered without a model. */
function seenAs(requestId: string, frame: Media): SeenFrame {
  const scene = Math.floor(Number(requestId.replace(/\D/g, '')) / 2) % 2;
  return { frame, size: { width: 640, height: 360 }, fingerprint: Buffer.alloc(64, 100 * scene).toString('base64') };
}

/** What a model is told of earlier turns. */
async function earlierTurns(sessionId: string): Promise<Background> {
  const [turns, summary] = await Promise.all([lastTurns(sessionId, turnsToRead), readSummary(sessionId)]);
  const { history, fold } = windowOf(turns, summary);
  return { history, notes: summaryNotes(summary), degradations: [], ...(fold ? { fold } : {}) };
}

/** One turn that a client asks for, in its own session or in another's. */
export interface TurnOptions {
  player: string;
  sessionId: string;
  requestId: string;
  behaviour: Behaviour;
  frame: boolean;
  /** Waits for the turns before it. */
  queue?: boolean;
  /** The client leaves after so many ms; null stays. */
  leavesAfterMs: number | null;
}

const tries = 12;
/** What an audit says of work that the sweep should have done ten minutes ago; here hours pass between sweeps. */
const late = new Set<string>(['hold.overdue', 'session.unsettled'] satisfies DriftKind[]);

/** The clients of a world: they call processes, are told answers, and ask again when there is none. */
export class Clients {
  readonly told: Told = { turns: new Map(), money: new Map(), refusals: new Map() };
  /** The session that each player was last told of. */
  readonly sessions = new Map<string, string>();
  /** All invites so far, in order. */
  readonly invites: GivenInvite[] = [];
  /** The session of somebody else that each person was last told to be a member of. */
  readonly visits = new Map<string, string>();
  private readonly world: World;
  private readonly processOf: () => Process;
  private readonly membership: MembershipRules;

  constructor(world: World, processOf: () => Process, membership: MembershipRules) {
    this.world = world;
    this.processOf = processOf;
    this.membership = membership;
  }

  /** Starts or resumes a session. */
  async start(player: string, agent: number, takeOver: boolean): Promise<void> {
    const started = await this.ask(() => this.operate('startSession', { agentInstanceId: agentId(player, agent), takeOver }, player));
    if (started) this.sessions.set(player, started.sessionId);
  }

  /** Sends a turn with the same request id until there is an answer. */
  async turn({ player, sessionId, requestId, behaviour, frame, queue = false, leavesAfterMs }: TurnOptions): Promise<void> {
    const input = processFrameInput.parse({ sessionId, requestId, queue, ...(frame ? { frameData: frames[0] } : { instruction: 'What now?' }) });
    const answer = await this.ask(async () => {
      const gone = new AbortController();
      const stay = leavesAfterMs === null ? () => undefined : this.world.scheduler.after(leavesAfterMs, () => gone.abort(), null);
      const deps = { now, newId, abilities: abilitiesWith(fakeProvider(behaviour), { background: () => earlierTurns(sessionId), summarize: (_about, fold) => foldTurns(sessionId, fold, () => Promise.resolve(null)).catch(() => undefined), see: (picture) => Promise.resolve(seenAs(requestId, picture)) }), endSession: (id: string, reason: Parameters<typeof endSession>[1]) => endSession(id, reason, now) };
      const process = this.processOf();
      try {
        return await this.world.call(process, async () => processTurn(input, await requireContext(player, sessionId), deps, { uid: player, emit: () => undefined, signal: gone.signal }));
      } finally {
        stay();
      }
    });
    if (!answer) return;
    const key = `${sessionId}/${requestId}/${player}`;
    const before = this.told.turns.get(key);
    if (before !== undefined && before !== answer.costDOFs) throw new Broken(`${key} was told ${before} and ${answer.costDOFs} DOFs`);
    this.told.turns.set(key, answer.costDOFs);
  }

  /** Ends the session that the player knows of. */
  async end(player: string): Promise<void> {
    const sessionId = this.sessions.get(player);
    if (sessionId !== undefined) await this.ask(() => this.operate('endSession', { sessionId }, player));
  }

  /** Makes an invite to the session that the player knows of. */
  async share(player: string, terms: Omit<z.input<typeof shareSessionInput>, 'sessionId'> = {}): Promise<GivenInvite | null> {
    const sessionId = this.sessions.get(player);
    const made = sessionId === undefined ? null : await this.ask(() => this.operate('shareSession', { sessionId, ...terms }, player));
    if (!made) return null;
    const given = { sessionId: sessionId!, inviteId: made.inviteId, invite: made.invite };
    this.invites.push(given);
    return given;
  }

  async revoke(player: string, { sessionId, inviteId }: GivenInvite): Promise<void> {
    await this.ask(() => this.operate('revokeInvite', { sessionId, inviteId }, player));
  }

  async join(person: string, { sessionId, invite }: GivenInvite): Promise<void> {
    const joined = await this.changeMembers(sessionId, person, true, () => this.operate('joinSession', { invite }, person));
    if (joined) this.visits.set(person, sessionId);
  }

  async leave(person: string, sessionId: string): Promise<void> {
    await this.changeMembers(sessionId, person, false, () => this.operate('leaveSession', { sessionId }, person));
  }

  async remove(player: string, sessionId: string, person: string): Promise<void> {
    await this.changeMembers(sessionId, person, false, () => this.operate('removeMember', { sessionId, userId: person }, player));
  }

  private async changeMembers(sessionId: string, person: string, member: boolean, act: () => Promise<object>): Promise<boolean> {
    const since = this.membership.versionOf(sessionId);
    const told = await this.ask(act) !== null;
    if (told) this.membership.checkTold(sessionId, person, { member, since });
    return told;
  }

  /** One of the administrator's operations on an agent; with the same key until there is an answer. */
  async money(name: 'grantDofs' | 'voidGrant' | 'adjustBalance' | 'placeHold' | 'postHold' | 'releaseHold', player: string, agent: number, input: Record<string, unknown>): Promise<void> {
    const answer = await this.ask(() => this.operate(name, { userId: player, agentInstanceId: agentId(player, agent), ...input }, administrator.uid) as Promise<{ amount?: number; entryId?: string | null }>);
    if (!answer || !('amount' in answer)) return;
    const key = `${name}/${String(input['idempotencyKey'])}`;
    const asked = input['amount'];
    if (name !== 'postHold' && typeof asked === 'number' && answer.amount !== undefined && answer.amount !== asked) throw new Broken(`${key} over ${asked} was told ${answer.amount}`);
    const before = this.told.money.get(key);
    if (before && before.amount !== answer.amount) throw new Broken(`${key} was told ${before.amount} and ${answer.amount}`);
    this.told.money.set(key, { amount: answer.amount, entryId: answer.entryId ?? null });
  }

  /** The scheduled sweep, once. */
  async sweep(): Promise<void> {
    const process = this.processOf();
    await this.world.call(process, () => runSweep(now)).catch((error: unknown) => { if (!(error instanceof ProcessDied)) throw error; });
  }

  /** The product's own audit of every agent, in the middle of everything: it must find nothing. */
  async audit(): Promise<void> {
    try {
      const { audits } = await this.world.call(this.processOf(), () => auditPage(null, 100));
      const drifts = audits.flatMap((each) => each.drifts).filter(({ kind }) => !late.has(kind));
      if (drifts.length > 0) throw new Broken(`the audit finds ${JSON.stringify(drifts)}`);
    } catch (error) {
      if (!isFault(error)) throw error;
    }
  }

  private operate<Name extends keyof typeof operations>(name: Name, input: unknown, uid: string): Promise<z.output<(typeof operations)[Name]['output']>> {
    const op: Operation = operations[name];
    const caller = uid === administrator.uid ? administrator : { uid, email: null, emailVerified: false, admin: false };
    const context = { caller, emit: () => undefined, signal: new AbortController().signal };
    return this.world.call(this.processOf(), async () => op.output.parse(await op.handle(op.input.parse(input), context))) as Promise<z.output<(typeof operations)[Name]['output']>>;
  }

  /** Asks until there is an answer or a refusal; null for a refusal, and when nobody answers. */
  private async ask<T>(act: () => Promise<T>): Promise<T | null> {
    for (let attempt = 0; attempt < tries; attempt++) {
      try {
        return await act();
      } catch (error) {
        if (error instanceof AppError) this.refused(error);
        if (error instanceof AppError && !isWorthAnotherTry(error)) return null;
        if (!(error instanceof AppError) && !isFault(error)) throw error;
        await this.pause(Math.min(20_000, 500 * 2 ** attempt));
      }
    }
    return null;
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => { this.world.scheduler.after(ms, resolve, null); });
  }

  private refused({ details }: AppError): void {
    const reason = details?.reason ?? 'none';
    this.told.refusals.set(reason, (this.told.refusals.get(reason) ?? 0) + 1);
  }
}

function isWorthAnotherTry({ code }: AppError): boolean {
  return code === 'unavailable' || code === 'deadline-exceeded' || code === 'aborted' || code === 'internal';
}

/** Whether an error is one that the world made; anything else is a bug of the code. */
function isFault(error: unknown): boolean {
  return error instanceof ProcessDied || /unavailable|disconnect/i.test((error as Error).message);
}
