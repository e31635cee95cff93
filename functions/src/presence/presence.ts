/** How often a client renews each of its connections, in ms. */
const heartbeatMs = 60_000;

/** A connection that was silent for this long, in ms, counts as gone, though its socket may not have noticed. */
const staleAfterMs = 3 * heartbeatMs;

/** Connections that a member has in a session at most. Rules cannot count them. */
const maxConnections = 20;

/** presence/{sessionId}/{uid}: the connections of one member by their ids; null when there are none. `at` in ms since the epoch, by the clock of the database. */
export type Connections = Record<string, { at: number }> | null;

/** Whether one of the connections has been heard of lately. `now` in ms. */
export function isOnline(connections: Connections, now: number): boolean {
  return Object.values(connections ?? {}).some(({ at }) => now - at < staleAfterMs);
}

/** Ids of the connections that a member has too many: those that were silent the longest. */
export function surplus(connections: Connections): string[] {
  const latestFirst = Object.entries(connections ?? {}).sort(([, one], [, other]) => other.at - one.at);
  return latestFirst.slice(maxConnections).map(([id]) => id);
}

/** What `live/{sessionId}` shows of who is there. */
export interface LivePresence {
  status?: string;
  members?: object;
  /** Members who are connected. */
  online?: Record<string, true>;
}

/** The live state with a member shown as connected or not: whoever is no member of an open session never is. The same object when it says so already. */
export function withOnline<Live extends LivePresence>(live: Live, uid: string, online: boolean): Live {
  const wanted = online && live.status === 'active' && Object.hasOwn(live.members ?? {}, uid);
  if (wanted === Object.hasOwn(live.online ?? {}, uid)) return live;
  const { [uid]: _shown, ...others } = live.online ?? {};
  return { ...live, online: wanted ? { ...others, [uid]: true } : others };
}

/** Of those who are shown as connected the ones who are members. */
export function onlineAmong(online: LivePresence['online'], members: object): Record<string, true> {
  return Object.fromEntries(Object.keys(online ?? {}).filter((uid) => Object.hasOwn(members, uid)).map((uid) => [uid, true]));
}
