import { deleteApp, initializeApp } from 'firebase/app';
import { connectDatabaseEmulator, getDatabase, onValue, ref } from 'firebase/database';
import { exactly, type Benchmark } from './benchmark.ts';
import { frames, open, sendFrame, until } from './world/calls.ts';
import { streaming } from './world/project.ts';

const shortfall = 'A frame whose answer comes at once is told in two messages, since a member has two listeners (bytes as on the wire, with six streams kept): `streams/`, 273 bytes: 75 for protocol, path and frame header, 17 for the id of the turn, 110 for the reply (47 its text, 28 who asked), 51 for its end, 20 for the stream that goes. `live/`, 145 bytes: 72 for protocol, path and frame header, 42 for the DOFs, 30 for the time of the last turn, 1 between them. Envelopes, paths and turn id are 164 bytes before anything is said, with the text and who asked 239: 200 cannot be had as long as members listen to both. The write also sets `turn` to idle, in case a process died before it could; the embedded database does not repeat what is as it was, and a database that did would send 27 bytes more. A turn that takes longer adds a message when it thinks for a quarter of a second, one when it begins to speak, and one for each quarter of a second of speech.';

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
