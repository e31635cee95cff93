import { maxOpenLots } from '../../src/credits/grants.ts';
import { maxPendingHolds } from '../../src/credits/holds.ts';
import type { ErrorReason } from '../../src/runtime/errors.ts';
import type { ServerConfig } from '../../src/sessions/schema.ts';
import { maxOpenInvites } from '../../src/sharing/sharing.ts';
import type { Instance } from '../deployed.ts';
import { admin, clientOf, givePlayer, startWith, type Client, type FrozenSettings, type Player, type PlayerOptions } from '../harness.ts';
import type { VendorMode } from '../vendors/server.ts';
import type { Canary, Told } from './canary.ts';

type Name = Parameters<Canary['ask']>[1];

/** What the provocations work with. */
export interface Stage {
  canary: Canary;
  /** The REST API with planted keys and a vendor of this machine; and that with limits of one call, with App Check, with a database that refuses. */
  api: Instance;
  limited: Instance;
  checked: Instance;
  broken: Instance;
  administrator: Client;
  owner: Player;
  /** An open session of the owner, whose product can do everything. */
  sessionId: string;
  /** Has the vendor answer like this from now on. */
  vendor: (mode: VendorMode) => void;
  /** Resolves when the vendor is asked the next time. */
  asked: () => Promise<unknown>;
  /** Lets the App Check service fail from now on, or work. */
  appCheckFails: (failing: boolean) => void;
  appToken: () => string;
}

type Provocation = (stage: Stage) => Promise<Told>;

const ask = async ({ canary, api }: Stage, who: Client | null, name: Name, input: object): Promise<Told> => canary.ask(api, name, input, who === null ? null : await who.idToken());
const turn = (stage: Stage, who: Client, sessionId: string, parts: object = {}): Promise<Told> => ask(stage, who, 'processFrame', { sessionId, requestId: `r-${Math.random().toString(36).slice(2)}`, instruction: 'Hello', ...parts });
const targetOf = ({ uid, agentInstanceId }: Player): { userId: string; agentInstanceId: string } => ({ userId: uid, agentInstanceId });

async function opened(options: PlayerOptions = {}, settings: FrozenSettings = {}): Promise<{ player: Player; sessionId: string }> {
  const player = await givePlayer({ productId: 'gemini-legend', dofs: 50_000, ...options });
  return { player, sessionId: (await startWith(player, settings)).sessionId };
}

/** A session that somebody has joined, with what was needed for it. */
async function joined(stage: Stage, terms: object = {}, settings: FrozenSettings = {}): Promise<{ player: Player; guest: Client; sessionId: string; inviteId: string; answer: Told }> {
  const { player, sessionId } = await opened({}, settings);
  const { result: { invite = '', inviteId = '' } } = await ask(stage, player, 'shareSession', { sessionId, ...terms });
  stage.canary.planted.push({ what: 'an invite', text: invite.split('.')[1]!, mayBe: (place) => place === 'answer ok of shareSession' });
  const guest = await clientOf(`canary-guest-${sessionId}`);
  const answer = await ask(stage, guest, 'joinSession', { invite });
  return { player, guest, sessionId, inviteId, answer };
}

/** The turn of an owner whose vendor answers like this. */
function whenVendor(mode: VendorMode): Provocation {
  return async (stage) => {
    stage.vendor(mode);
    return turn(stage, stage.owner, stage.sessionId).finally(() => stage.vendor('ok'));
  };
}

/** What `second` comes to while the vendor keeps a first turn waiting. */
function whileWaiting(second: object): Provocation {
  return async (stage) => {
    const { player, sessionId } = await opened({}, { limits: { turnTimeoutSeconds: 5 } });
    stage.vendor('slow');
    const asked = stage.asked();
    const first = turn(stage, player, sessionId, { requestId: 'first' });
    await asked;
    const answer = await turn(stage, player, sessionId, second);
    await first.finally(() => stage.vendor('ok'));
    return answer;
  };
}

async function underMaintenance(stage: Stage): Promise<Told> {
  const server = admin().firestore.doc('config/server');
  const usual = (await server.get()).data() as ServerConfig;
  await server.update({ maintenance: true });
  return ask(stage, stage.owner, 'startSession', { agentInstanceId: stage.owner.agentInstanceId }).finally(() => server.set(usual));
}

async function repeated(times: number, act: (index: number) => Promise<Told>): Promise<Told> {
  for (let index = 0; index < times; index++) await act(index);
  return act(times);
}

const noRace = 'It needs twelve lost races in a row: see commit.ts and transact.ts, whose only text is their own.';

/** How every reason of an error is provoked, or why it is not. */
export const provocations: Record<ErrorReason, Provocation | string> = {
  bad_input: (stage) => ask(stage, stage.owner, 'getSession', { sessionId: 'a.b' }),
  bad_media: (stage) => turn(stage, stage.owner, stage.sessionId, { frameData: Buffer.from('no picture').toString('base64') }),
  not_found: (stage) => ask(stage, stage.owner, 'getSession', { sessionId: 'none' }),
  signed_out: (stage) => ask(stage, null, 'getMe', {}),
  not_admin: (stage) => ask(stage, stage.owner, 'grantDofs', {}),
  not_owner: async (stage) => {
    const { guest, sessionId } = await joined(stage);
    return ask(stage, guest, 'endSession', { sessionId });
  },
  no_dofs: async (stage) => {
    const poor = await givePlayer({ dofs: 0 });
    return ask(stage, poor, 'startSession', { agentInstanceId: poor.agentInstanceId });
  },
  insufficient_dofs: async (stage) => ask(stage, stage.administrator, 'placeHold', { idempotencyKey: 'canary-too-much', ...targetOf(await givePlayer()), amount: 900_000 }),
  grant_closed: async (stage) => {
    const target = targetOf(await givePlayer());
    return repeated(1, (index) => ask(stage, stage.administrator, 'voidGrant', { idempotencyKey: `canary-void-${target.userId}-${index}`, ...target, grantId: 'lot-0', reason: 'test' }));
  },
  hold_resolved: async (stage) => {
    const target = targetOf(await givePlayer());
    const { result: { holdId } } = await ask(stage, stage.administrator, 'placeHold', { idempotencyKey: `canary-${target.userId}`, ...target, amount: 10 });
    await ask(stage, stage.administrator, 'releaseHold', { ...target, holdId });
    return ask(stage, stage.administrator, 'postHold', { ...target, holdId, amount: 10, reason: 'test' });
  },
  too_many_lots: async (stage) => {
    const target = targetOf(await givePlayer({ lots: Array.from({ length: maxOpenLots }, () => ({ amount: 1 })) }));
    return ask(stage, stage.administrator, 'grantDofs', { idempotencyKey: `canary-${target.userId}`, ...target, amount: 1, source: 'trial', reason: 'test' });
  },
  too_many_holds: async (stage) => {
    const target = targetOf(await givePlayer());
    return repeated(maxPendingHolds, (index) => ask(stage, stage.administrator, 'placeHold', { idempotencyKey: `canary-${target.userId}-${index}`, ...target, amount: 1 }));
  },
  dofs_exhausted: async (stage) => {
    const { player, sessionId } = await opened({ dofs: 1 });
    return turn(stage, player, sessionId);
  },
  member_cap: async (stage) => {
    const { guest, sessionId } = await joined(stage, { capDOFs: 1 });
    return turn(stage, guest, sessionId);
  },
  spectator: async (stage) => {
    const { guest, sessionId } = await joined(stage, { role: 'spectator' });
    return turn(stage, guest, sessionId);
  },
  session_limit: async (stage) => {
    const { player } = await opened({ agents: 2 });
    return ask(stage, player, 'startSession', { agentInstanceId: player.agentInstanceId.replace(/0$/, '1') });
  },
  session_closed: async (stage) => {
    const { player, sessionId } = await opened();
    await ask(stage, player, 'endSession', { sessionId });
    return turn(stage, player, sessionId);
  },
  session_open: (stage) => ask(stage, stage.owner, 'deleteSession', { sessionId: stage.sessionId }),
  session_superseded: (stage) => turn(stage, stage.owner, stage.sessionId, { generation: 99 }),
  session_paused: async (stage) => {
    const { guest, sessionId } = await joined(stage);
    const later = Date.now() + 600_000;
    await admin().database.ref(`meters/${sessionId}/ownerAway`).set({ pausesAt: Date.now() - 1_000, endsAt: later, graceMs: 1_000, idleAt: later });
    return turn(stage, guest, sessionId);
  },
  session_full: async (stage) => (await joined(stage, {}, { limits: { maxMembers: 1 } })).answer,
  invite_invalid: async (stage) => {
    const { result: { invite = '', inviteId } } = await ask(stage, stage.owner, 'shareSession', { sessionId: stage.sessionId });
    stage.canary.planted.push({ what: 'a revoked invite', text: invite.split('.')[1]!, mayBe: (place) => place === 'answer ok of shareSession' });
    await ask(stage, stage.owner, 'revokeInvite', { sessionId: stage.sessionId, inviteId });
    return ask(stage, stage.administrator, 'joinSession', { invite });
  },
  invite_used: async (stage) => {
    const { player, sessionId, inviteId } = await joined(stage);
    return ask(stage, player, 'revokeInvite', { sessionId, inviteId });
  },
  too_many_invites: async (stage) => {
    const { player, sessionId } = await opened();
    return repeated(maxOpenInvites, () => ask(stage, player, 'shareSession', { sessionId }));
  },
  owner_stays: (stage) => ask(stage, stage.owner, 'leaveSession', { sessionId: stage.sessionId }),
  turn_in_progress: whileWaiting({}),
  request_in_progress: whileWaiting({ requestId: 'first' }),
  request_conflict: (stage) => repeated(1, (index) => turn(stage, stage.owner, stage.sessionId, { requestId: 'conflict', instruction: `Words ${index}` })),
  contention: noRace,
  rate_limited: async ({ canary, limited, owner }) => repeated(1, async () => canary.ask(limited, 'getMe', {}, await owner.idToken())),
  app_check: async ({ canary, checked, owner }) => canary.ask(checked, 'getMe', {}, await owner.idToken(), { 'x-firebase-appcheck': 'garbage' }),
  maintenance: underMaintenance,
  agent_unavailable: async (stage) => {
    const player = await givePlayer({ productId: 'no-such-product' });
    return ask(stage, player, 'startSession', { agentInstanceId: player.agentInstanceId });
  },
  provider_configuration: whenVendor('bad-key'),
  provider_busy: whenVendor('busy'),
  provider_unavailable: whenVendor('broken'),
  provider_timeout: async (stage) => {
    const { player, sessionId } = await opened({}, { limits: { turnTimeoutSeconds: 1 } });
    stage.vendor('slow');
    return turn(stage, player, sessionId).finally(() => stage.vendor('ok'));
  },
  voice_unavailable: async (stage) => {
    const { player, sessionId } = await opened({ productId: 'gemini-rookie' });
    return ask(stage, player, 'mintVoiceToken', { sessionId, requestId: 'talk' });
  },
  voice_quota: async (stage) => {
    const { player, sessionId } = await opened();
    await admin().firestore.doc(`users/${player.uid}`).update({ voiceTokens: { day: '9999-01-01', count: 1_000 } });
    return ask(stage, player, 'mintVoiceToken', { sessionId, requestId: 'talk' });
  },
  voice_token_active: async (stage) => {
    const { player, sessionId } = await opened();
    return repeated(1, (index) => ask(stage, player, 'mintVoiceToken', { sessionId, requestId: `talk-${index}`, minutes: 1 }));
  },
  not_ready: async ({ canary, checked, owner, appCheckFails, appToken }) => {
    appCheckFails(true);
    return canary.ask(checked, 'startSession', { agentInstanceId: owner.agentInstanceId }, await owner.idToken(), { 'x-firebase-appcheck': appToken() }).finally(() => appCheckFails(false));
  },
  internal: async ({ canary, broken, owner }) => canary.ask(broken, 'getMe', {}, await owner.idToken()),
};
