import { maxImportedMembers } from '../../functions/src/imports/imports.ts';
import type { Accounts } from './accounts.ts';
import type { Said } from './messages.ts';
import { nameOf, type Person } from './people.ts';

/** Who the people of a session are here. */
export interface FoundMembers {
  /** The accounts of the members beside the owner, in their order. */
  playerIds: string[];
  /** Who has no account, or no place. */
  dropped: string[];
  /** Whose turn it is when this was said: the sender's, if that is a member, else the owner's. */
  accountOf: (said: Said) => string;
}

/** Finds the accounts of a session's members and of those who spoke in it. */
export async function findMembers({ ownerId, owner, members, said }: { ownerId: string; owner: Person | null; members: Person[]; said: Said[] }, accounts: Accounts): Promise<FoundMembers> {
  const found = new Set<string>();
  const dropped = new Set<string>();
  for (const member of members) {
    const uid = await accounts(member);
    if (uid === null && !isSame(member, owner)) dropped.add(`the member ${nameOf(member)}: no account`);
    if (uid !== null && uid !== ownerId) found.add(uid);
  }
  const all = [...found].sort();
  const playerIds = all.slice(0, maxImportedMembers - 1);
  for (const uid of all.slice(maxImportedMembers - 1)) dropped.add(`the member ${uid}: a session has at most ${maxImportedMembers}`);
  const senders = new Map<string, string>();
  for (const { by } of said) {
    const uid = by && !senders.has(nameOf(by)) ? await accounts(by) : null;
    if (by && uid !== null && playerIds.includes(uid)) senders.set(nameOf(by), uid);
  }
  return { playerIds, dropped: [...dropped], accountOf: ({ by }) => (by && senders.get(nameOf(by))) ?? ownerId };
}

/** Whether a member is the owner by one of the names that it has. */
function isSame(member: Person, owner: Person | null): boolean {
  return owner !== null && ((member.id !== null && member.id === owner.id) || (member.email !== null && member.email === owner.email));
}
