import { deleteApp, initializeApp } from 'firebase/app';
import { connectDatabaseEmulator, getDatabase, onValue, ref } from 'firebase/database';
import { exactly, type Benchmark } from './benchmark.ts';
import { frames, open, sendFrame, until } from './world/calls.ts';
import { streaming } from './world/project.ts';

const shortfall = 'A frame is told in six messages of 87 to 184 bytes each: thinking, speaking, two pieces of the reply, its end, and the meter. Half of that are paths: the protocol repeats session, turn and item with every message, 60 characters of keys. One message with reply and meter together would still be about 250 bytes, so 200 cannot be had with this protocol and a reply that is shown as it comes. About 600 could: turns numbered instead of keyed, and `thinking` and `speaking` told only when a turn takes longer than a quarter of a second.';

/** P11: what a frame moves through the Realtime Database. */
export const liveBytes: Benchmark = {
  id: 'P11',
  title: 'Realtime Database bytes per frame',
  how: 'A member watches `live/` and `streams/` of a session with the client SDK while frames are sent. Between the SDK and the emulator stands a server that counts the bytes of the WebSocket, frame headers included; another one stands between `processFrame` and the emulator. Downloads are what Realtime Database bills. The model answers in a stream, as configured by default; the mock says 43 characters.',
  async run({ world, quick, signal }) {
    const project = await world.project();
    const [watching, moving] = [await world.tapDatabase(), await world.tapDatabase()];
    const [starting, framing] = await Promise.all([world.instance({ target: 'startSession' }), world.instance({ target: 'processFrame', database: moving })]);
    const [player] = await project.players(1);
    await project.configure(streaming);
    const session = await open(starting, player!);
    await project.configure((server) => server);
    const app = initializeApp({ projectId: project.id, databaseURL: `http://${watching.address}?ns=${project.id}-default-rtdb` }, 'watcher');
    world.onTidy(() => deleteApp(app));
    const database = getDatabase(app);
    const [host = '', port = ''] = watching.address.split(':');
    connectDatabaseEmulator(database, host, Number(port), { mockUserToken: { sub: player!.uid } });
    // Only the last few streams are kept, so turns are remembered here.
    const ended = new Set<string>();
    let live: unknown;
    onValue(ref(database, `live/${session.sessionId}`), (snapshot) => { live = snapshot.val(); });
    onValue(ref(database, `streams/${session.sessionId}`), (snapshot) => {
      snapshot.forEach((turn) => { turn.forEach((item) => void ((item.val() as { type: string }).type === 'done' && ended.add(turn.key))); });
    });
    await until(() => live !== undefined && live !== null, 'the live state to be seen', signal);
    const count = quick ? 10 : 100;
    const seen = (many: number): Promise<void> => until(() => ended.size === many, `${many} turns to be seen`, signal);
    await sendFrame(framing, session);
    await seen(1);
    watching.take();
    moving.take();
    for (let index = 0; index < count; index++) await sendFrame(framing, session, { frameData: frames[index % frames.length] });
    await seen(1 + count);
    const [watched, moved] = [watching.take(), moving.take()];
    const each = (total: number): number => Math.round((total / count) * 10) / 10;
    return {
      goals: [{ what: 'delivered to a watching member, per frame', limit: 200, unit: ' bytes', ...exactly(Math.round(each(watched.down.bytes))), shortfall }],
      beside: [
        { what: 'messages to that member, per frame', value: each(watched.down.messages), unit: '' },
        { what: 'processFrame itself downloads, per frame', value: Math.round(each(moved.down.bytes)), unit: ' bytes' },
        { what: 'processFrame itself uploads, per frame', value: Math.round(each(moved.up.bytes)), unit: ' bytes' },
        { what: 'messages to / from processFrame, per frame', value: each(moved.down.messages), unit: ` / ${each(moved.up.messages)}` },
      ],
      counts: {
        memberDownBytesPerFrame: each(watched.down.bytes), memberMessagesPerFrame: each(watched.down.messages), functionDownBytesPerFrame: each(moved.down.bytes), functionMessagesPerFrame: each(moved.down.messages), functionRequestsPerFrame: each(moved.up.messages),
      },
    };
  },
};
