import { givePlayer, startWith, type FrozenSettings, type Player } from './harness.ts';

/** A session of an owner, which others join. */
export interface Shared {
  sessionId: string;
  owner: Player;
  livePath: string;
}

/** Starts a session to share, under the usual settings but for these. */
export async function share(settings: FrozenSettings = {}): Promise<Shared> {
  const owner = await givePlayer({ dofs: 5_000 });
  const { sessionId, live } = await startWith(owner, settings);
  return { sessionId, owner, livePath: live.path };
}

/** Somebody new who joins it. */
export async function join({ owner, sessionId }: Shared, parts: { role?: 'player' | 'spectator'; capDOFs?: number } = {}): Promise<Player> {
  const { invite } = await owner.call('shareSession', { sessionId, ...parts });
  const guest = await givePlayer();
  await guest.call('joinSession', { invite });
  return guest;
}
