import { randomBytes, randomUUID } from 'node:crypto';
import { setLogLevel } from 'firebase/app';
import { get, ref, serverTimestamp, set } from 'firebase/database';
import type { FunctionsError } from 'firebase/functions';
import type { z } from 'zod';
import type { processFrameOutput } from '../src/live/schema.ts';
import type { Instance } from './deployed.ts';
import { frames } from './frames.ts';
import { clientOf, eventually, givePlayer, readUser, watch, type Client, type Player } from './harness.ts';

// The SDKs print a warning for every refusal.
setLogLevel('silent');

/** What clients listen to of a session. */
export const roots = ['live', 'streams', 'presence'] as const;

/** One client's listener on one part of one session. */
export interface Ear extends ReturnType<typeof watch> {
  client: Client;
  session: Shared;
  root: (typeof roots)[number];
  /** Whether the client was a member when it began to listen. */
  member: boolean;
}

/** A session with a word of its own in its name and in everything that is said in it. */
export interface Shared {
  sessionId: string;
  word: string;
  owner: Player;
  /** Everybody who was ever a member, the owner first. */
  members: Client[];
}

/** A turn that was answered: who asked for it in which words, and what came back. */
export interface Spoken {
  session: Shared;
  client: Client;
  requestId: string;
  word: string;
  chunks: unknown[];
  data: z.output<typeof processFrameOutput>;
}

/** `live/{sessionId}` as a listener gets it. */
export interface ShownLive {
  members: Record<string, string>;
  dofs: { consumed: number };
  turn: { id?: string; state: string; by?: string };
  online?: Record<string, true>;
}

/** `streams/{sessionId}` as a listener gets it. */
export type ShownStreams = Record<string, Record<string, { type: 'chunk' | 'done' | 'error' }>>;

/** A word that is nowhere else. */
const newWord = (): string => `q${randomBytes(5).toString('hex')}`;

/** Client apps, signed in and each on a connection of its own, the sessions that some of them share, and everything that they are shown. */
export class Crowd {
  readonly clients: Client[] = [];
  readonly sessions: Shared[] = [];
  readonly ears: Ear[] = [];
  readonly spoken: Spoken[] = [];
  /** Where turns are taken. */
  instances: Instance<'processFrame'>[] = [];

  /** Adds so many clients who own nothing; one after the other, since the emulator starts a process for each trigger at work. */
  async add(count: number): Promise<Client[]> {
    const guests: Client[] = [];
    while (guests.length < count) {
      const guest = await clientOf(`guest-${randomUUID().slice(0, 13)}`);
      await eventually(async () => await readUser(guest.uid) !== undefined, 'the user document');
      guests.push(guest);
    }
    this.clients.push(...guests);
    return guests;
  }

  /** Adds a client with an open session, whose name has its word. */
  async open(): Promise<Shared> {
    const owner = await givePlayer({ dofs: 20_000 });
    const { sessionId } = await owner.call('startSession', { agentInstanceId: owner.agentInstanceId });
    const session: Shared = { sessionId, word: newWord(), owner, members: [owner] };
    await owner.call('renameSession', { sessionId, name: `The ${session.word}` });
    this.clients.push(owner);
    this.sessions.push(session);
    return session;
  }

  async join(session: Shared, guest: Client): Promise<void> {
    const { invite } = await session.owner.call('shareSession', { sessionId: session.sessionId });
    await guest.call('joinSession', { invite });
    session.members.push(guest);
  }

  /** Lets a client listen to all parts of these sessions; resolves once each listener was shown something or was refused. */
  async listen(client: Client, sessions: Shared[] = this.sessions): Promise<void> {
    const ears = sessions.flatMap((session) => roots.map((root): Ear => ({ client, session, root, member: session.members.includes(client), ...watch(client, `${root}/${session.sessionId}`) })));
    this.ears.push(...ears);
    await eventually(() => ears.every(({ values, errors }) => values.length + errors.length > 0), 'every listener hears something');
  }

  /** Shows a member as present in its session. */
  async appear({ database, uid }: Client, { sessionId }: Shared): Promise<void> {
    await set(ref(database, `presence/${sessionId}/${uid}/${randomUUID()}`), { at: serverTimestamp() });
  }

  /** Says something in a session, with a frame or without, until there is an answer: a client that is refused comes back once it sees a turn end, or when it was told to. */
  async speak(client: Client, session: Shared, requestId: string, frame?: number): Promise<void> {
    const { sessionId } = session;
    const word = newWord();
    const said = { instruction: `${session.word} ${word}`, ...(frame === undefined ? {} : { frameData: frames[frame % frames.length]! }) };
    const instance = this.instances[this.clients.indexOf(client) % this.instances.length]!;
    const live = this.ears.findLast((ear) => ear.client === client && ear.session === session && ear.root === 'live')!;
    for (;;) {
      const seen = live.values.length;
      try {
        const { chunks, data } = await client.streamAt(instance, { sessionId, requestId, ...said });
        return void this.spoken.push({ session, client, requestId, word, chunks, data });
      } catch (error) {
        const { code, details } = error as FunctionsError;
        if (code !== 'functions/aborted') throw error;
        const again = Date.now() + (details as { retryAfterMs: number }).retryAfterMs;
        await eventually(() => Date.now() >= again || (live.values.slice(seen) as ShownLive[]).some(({ turn }) => turn.state === 'idle'), `a turn in ${sessionId}`);
      }
    }
  }

  /** Resolves once a client has heard everything that the database had sent it before: its answers come in order. */
  async catchUp(client: Client, { sessionId }: Shared): Promise<void> {
    await get(ref(client.database, `live/${sessionId}`)).catch(() => undefined);
  }

  /** All that is of a session: its ids and words, and the people in it. */
  wordsOf(session: Shared): string[] {
    const turns = this.spoken.filter((turn) => turn.session === session);
    return [session.sessionId, session.word, session.owner.agentInstanceId, ...session.members.map(({ uid }) => uid), ...turns.flatMap(({ word, data }) => [word, data.turnId])];
  }

  /** What a text about a session says of other ones. */
  strangeIn(text: string, session: Shared): string[] {
    const own = new Set(this.wordsOf(session));
    return this.sessions.flatMap((other) => (other === session ? [] : this.wordsOf(other))).filter((word) => !own.has(word) && text.includes(word));
  }
}
