import type { Access } from '../src/runtime/operation.ts';
import type { ErrorCode, ErrorReason } from '../src/runtime/errors.ts';

/** Everybody who may stand in some relation to what is asked for; `removed` was a member, and `other` never was. */
export const people = ['owner', 'player', 'spectator', 'removed', 'other', 'admin'] as const;
export type Person = (typeof people)[number];

/** Tokens that are worth nothing. All but the last would be the owner's. */
export const badTokens = ['expired', 'wrongProject', 'unsigned', 'brokenSignature', 'revokedAdmin'] as const;

/** Who calls, by what token. `revoked` is a token of the owner from before it was signed out, `anonymous` sends none. */
export const callers = [...people, 'revoked', 'anonymous', ...badTokens] as const;
export type Caller = (typeof callers)[number];

/** What a call is about: something of the owner's, of somebody else's, of nobody's, or of the owner's and over. */
export const targets = ['own', 'foreign', 'missing', 'ended'] as const;
export type Target = (typeof targets)[number];

/** The code with which each reason is answered here. */
export const codeOf = {
  not_found: 'not-found', invite_invalid: 'not-found', signed_out: 'unauthenticated', not_admin: 'permission-denied', not_owner: 'permission-denied', spectator: 'permission-denied',
  session_closed: 'failed-precondition', session_open: 'failed-precondition', owner_stays: 'failed-precondition', hold_resolved: 'failed-precondition',
} as const satisfies Partial<Record<ErrorReason, ErrorCode>>;

/** What comes of a call: `ok` answers and changes nothing, `done` changes something, anything else is the reason of a refusal. */
export type Outcome = 'ok' | 'done' | keyof typeof codeOf;

/** What comes of the calls of everybody who is signed in. */
export type Rule = Readonly<Record<Person, Outcome>>;

/** One way to call an operation. A target that this way does not have is a sentence that says why. */
export interface Form<Input = object> {
  /** What is particular about it, where there are several. */
  as?: string;
  input: (place: Place) => Input;
  cells: Readonly<Record<Target, Rule | string>>;
}

/** The ids of a target. */
export interface Place {
  /** Whose it is. */
  userId: string;
  agentInstanceId: string;
  sessionId: string;
  /** A player of the session. */
  memberId: string;
  inviteId: string;
  invite: string;
  memoryId: string;
  file: string;
  grantId: string;
  holdId: string;
  /** Another one in each call. */
  key: string;
}

/** The same for everybody who is signed in. */
export const everybody = (outcome: Outcome): Rule => ({ owner: outcome, player: outcome, spectator: outcome, removed: outcome, other: outcome, admin: outcome });
/** For nobody: it is as if it were not there. */
export const nobody: Rule = everybody('not_found');
/** For its owner alone: nobody else learns that it is there. */
export const owner = (outcome: Outcome): Rule => ({ ...nobody, owner: outcome });
/** For all members. */
export const members = (outcome: Outcome): Rule => ({ ...owner(outcome), player: outcome, spectator: outcome });
/** For the owner; the other members, who know that it is there, are told that it is not theirs. */
export const ownerOfMembers = (outcome: Outcome): Rule => ({ ...members('not_owner'), owner: outcome });
/** For administrators. */
export const admins = (outcome: Outcome): Rule => ({ ...everybody('not_admin'), admin: outcome });

/** Cells of a session, which is missing for who is no member of it. */
export const session = (own: Rule, ended: Rule): Form['cells'] => ({ own, foreign: nobody, missing: nobody, ended });
/** Cells of an agent, which has no end. */
export const agent = (own: Rule, foreign: Rule = nobody, missing: Rule = nobody): Form['cells'] => ({ own, foreign, missing, ended: 'an agent has no end' });
/** Cells of what names no target. */
export const nothingNamed = (rule: Rule): Form['cells'] => {
  const why = 'the call names nothing';
  return { own: rule, foreign: why, missing: why, ended: why };
};

/** What is to come of a call of anybody. */
export function outcomeOf(rule: Rule, access: Access, caller: Caller): Outcome {
  if (caller === 'anonymous') return access === 'public' ? rule.other : 'signed_out';
  // Revocation is looked up for administrators only: the token of a user is good until it expires.
  if (caller === 'revoked') return rule.owner;
  return (people as readonly string[]).includes(caller) ? rule[caller as Person] : 'signed_out';
}
