import type { z } from 'zod';
import { operations } from '../src/operations.ts';
import type { Operation } from '../src/runtime/operation.ts';
import {
  admins, agent, callers, everybody, members, nobody, nothingNamed, outcomeOf, owner, ownerOfMembers, session, targets, type Caller, type Form, type Outcome, type Place, type Target,
} from './access-rules.ts';

type Operations = typeof operations;
type InputOf<Name extends keyof Operations> = Operations[Name] extends Operation<infer Input> ? z.input<Input> : never;

const ofAgent = ({ agentInstanceId }: Place) => ({ agentInstanceId });
const ofSession = ({ sessionId }: Place) => ({ sessionId });
const money = ({ userId, agentInstanceId }: Place) => ({ userId, agentInstanceId });
const moneyOnce = (place: Place) => ({ ...money(place), idempotencyKey: place.key });
const year = { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z', format: 'csv' } as const;
const balance = agent(admins('done'), admins('done'), admins('not_found'));

/** Who may do what: a row for every operation, or it does not compile. The table in docs/access.md is written from it, and every cell is tried over HTTP. */
export const access: { [Name in keyof Operations]: Form<InputOf<Name>>[] } = {
  getServerStatus: [{ input: () => ({}), cells: nothingNamed(everybody('ok')) }],
  getMe: [{ input: () => ({}), cells: nothingNamed(everybody('ok')) }],
  listMyAgents: [{ input: () => ({}), cells: nothingNamed(everybody('ok')) }],
  renameAgent: [{ input: (place) => ({ ...ofAgent(place), customName: 'New' }), cells: agent(owner('done')) }],
  setAlertThresholds: [{ input: (place) => ({ ...ofAgent(place), alertThresholds: [7] }), cells: agent(owner('done')) }],
  listMemories: [{ input: ofAgent, cells: agent(owner('ok')) }],
  deleteMemory: [{ input: (place) => ({ ...ofAgent(place), memoryId: place.memoryId }), cells: agent(owner('done')) }],
  deleteAllMemories: [{ input: ofAgent, cells: agent(owner('done')) }],

  startSession: [{ input: ofAgent, cells: agent(owner('done')) }],
  getSession: [{ input: ofSession, cells: session(members('ok'), members('ok')) }],
  listMySessions: [{ input: () => ({}), cells: nothingNamed(everybody('ok')) }],
  renameSession: [{ input: (place) => ({ ...ofSession(place), name: 'New' }), cells: session(ownerOfMembers('done'), ownerOfMembers('done')) }],
  processFrame: [{
    input: (place) => ({ ...ofSession(place), requestId: place.key, instruction: 'Hello' }),
    cells: session({ ...members('done'), spectator: 'spectator' }, members('session_closed')),
  }],
  mintVoiceToken: [{ input: (place) => ({ ...ofSession(place), requestId: place.key }), cells: session(owner('done'), owner('session_closed')) }],
  endSession: [{ input: ofSession, cells: session(ownerOfMembers('done'), ownerOfMembers('ok')) }],

  shareSession: [{ input: ofSession, cells: session(ownerOfMembers('done'), ownerOfMembers('session_closed')) }],
  revokeInvite: [{ input: (place) => ({ ...ofSession(place), inviteId: place.inviteId }), cells: session(ownerOfMembers('done'), ownerOfMembers('done')) }],
  joinSession: [{
    // The invite of the foreign session is for the address of somebody else: an invite for anybody is as good as membership.
    input: ({ invite }) => ({ invite }),
    cells: {
      own: { ...members('ok'), removed: 'invite_invalid', other: 'done', admin: 'done' },
      foreign: everybody('invite_invalid'),
      missing: everybody('invite_invalid'),
      ended: { ...everybody('session_closed'), removed: 'invite_invalid' },
    },
  }],
  leaveSession: [{ input: ofSession, cells: session({ ...members('done'), owner: 'owner_stays' }, { ...members('done'), owner: 'owner_stays' }) }],
  removeMember: [{ input: (place) => ({ ...ofSession(place), userId: place.memberId }), cells: session(ownerOfMembers('done'), ownerOfMembers('done')) }],
  listMembers: [{ input: ofSession, cells: session(members('ok'), members('ok')) }],

  listTurns: [{ input: ofSession, cells: session(members('ok'), members('ok')) }],
  exportSession: [{ input: ofSession, cells: session(ownerOfMembers('ok'), ownerOfMembers('ok')) }],
  deleteSession: [{ input: ofSession, cells: session(ownerOfMembers('session_open'), ownerOfMembers('done')) }],
  getMedia: [{ input: (place) => ({ ...ofSession(place), type: 'images', file: place.file }), cells: session(members('ok'), members('ok')) }],
  listMedia: [{ input: ofSession, cells: session(members('ok'), members('ok')) }],

  getReceipt: [{ input: ofSession, cells: { own: { ...owner('ok'), admin: 'ok' }, foreign: { ...nobody, admin: 'ok' }, missing: nobody, ended: { ...owner('ok'), admin: 'ok' } } }],
  listLedger: [
    { input: ofAgent, cells: agent(owner('ok')) },
    { as: 'with userId', input: money, cells: agent({ ...admins('ok'), owner: 'ok' }, admins('ok'), admins('not_found')) },
  ],
  exportUsage: [
    { input: () => year, cells: nothingNamed(everybody('ok')) },
    { as: 'with userId', input: ({ userId }) => ({ ...year, userId }), cells: { own: { ...admins('ok'), owner: 'ok' }, foreign: admins('ok'), missing: admins('ok'), ended: 'a user has no end' } },
  ],

  grantDofs: [{ input: (place) => ({ ...moneyOnce(place), amount: 1, source: 'trial', reason: 'test' }), cells: balance }],
  voidGrant: [{ input: (place) => ({ ...moneyOnce(place), grantId: place.grantId, reason: 'test' }), cells: balance }],
  adjustBalance: [{ input: (place) => ({ ...moneyOnce(place), amount: 1, reason: 'test' }), cells: balance }],
  placeHold: [{ input: (place) => ({ ...moneyOnce(place), amount: 1 }), cells: balance }],
  postHold: [{ input: (place) => ({ ...money(place), holdId: place.holdId, amount: 1, reason: 'test' }), cells: { ...balance, ended: admins('hold_resolved') } }],
  releaseHold: [{ input: (place) => ({ ...money(place), holdId: place.holdId }), cells: { ...balance, ended: admins('ok') } }],
};

/** Every way to call an operation, in the order of the table. */
export const forms: { name: keyof Operations; form: Form }[] = Object.entries(access).flatMap(([name, row]) => row.map((form) => ({ name: name as keyof Operations, form })));

/** A call of somebody about something, and what is to come of it. */
export interface Cell {
  caller: Caller;
  target: Target;
  expected: Outcome;
}

/** Every cell of a form that means anything. */
export function cellsOf({ name, form }: (typeof forms)[number]): Cell[] {
  return targets.flatMap((target) => {
    const rule = form.cells[target];
    return typeof rule === 'string' ? [] : callers.map((caller) => ({ caller, target, expected: outcomeOf(rule, operations[name].access, caller) }));
  });
}
