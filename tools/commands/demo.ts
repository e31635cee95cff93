import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startMockCloudSpeech } from '../../functions/test/vendors/cloud-speech.ts';
import { startMockVendor, type MockVendor } from '../../functions/test/vendors/server.ts';
import { connectAdmin } from '../admin.ts';
import { createClient } from '../demo/client.ts';
import { subscribe } from '../demo/events.ts';
import { readImages, SAMPLE_FRAMES, toFrames, type Images } from '../demo/images.ts';
import { createNarrator, label, quietNarrator, type Narrator } from '../demo/narrator.ts';
import { keyEnvironment, mockEnvironment, readOptions, type Options } from '../demo/options.ts';
import { play } from '../demo/play.ts';
import { readBalance, readRecords, type Balance } from '../demo/records.ts';
import { isSound, reportJson, reportLines, type Result } from '../demo/report.ts';
import { verify } from '../demo/verify.ts';
import { startSuite, type Suite } from '../emulators/suite.ts';
import { runCommand, UserError } from '../errors.ts';
import { CACHE, EMULATOR_DATA, ROOT } from '../paths.ts';
import { readSeed } from '../seed/seed.ts';
import { buildFunctions } from './build.ts';
import { aborted, abortOnSignal } from './interrupt.ts';

const INTERRUPTED = 130;
const PLAYER = 'player-rich';
const EVENTS_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 5_000;

/** Connections of the demo's own to the suite. */
class Connections {
  private readonly closers: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.closers.push(close);
  }

  /** Closes them all; an emulator that is gone must not keep it waiting. */
  async close(): Promise<void> {
    await Promise.race([Promise.allSettled(this.closers.map((close) => close())), delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
  }
}

/** What a run works with. */
interface Run {
  options: Options;
  pictures: Images;
  narrator: Narrator;
  connections: Connections;
  signal: AbortSignal;
}

async function drive(suite: Suite, { options, pictures: { images, leftOut }, narrator, connections, signal }: Run): Promise<Omit<Result, 'suite' | 'totalMs'>> {
  const frames = toFrames(images);
  if (leftOut > 0) narrator.say(`${label('frames')}the first ${images.length} images, ${leftOut} more are left out`);
  else narrator.say(`${label('frames')}${images.length} images${frames.length > images.length ? `, repeated to make ${frames.length} frames` : ''}`);
  const admin = connectAdmin(suite.env);
  connections.add(() => admin.close());
  const feed = await subscribe(suite.env);
  connections.add(() => feed.close());
  const client = createClient(suite);
  connections.add(() => client.close());
  const account = readSeed().accounts.find(({ uid }) => uid === PLAYER);
  if (!account) throw new UserError(`emulator-data/seed/accounts.json has no account ${PLAYER}: restore it and run npm run seed:export.`);

  let before: Balance | undefined;
  const played = await play(client, {
    account, frames, provider: options.provider, signal,
    beforeSession: async (uid, { agentInstanceId }) => {
      before = await readBalance(admin.firestore, uid, agentInstanceId);
    },
  }, narrator);
  const { player, agent, session: { sessionId } } = played;
  const records = await readRecords(admin.firestore, { uid: player.uid, agentInstanceId: agent.agentInstanceId, sessionId });
  await feed.waitFor(records.outbox, EVENTS_TIMEOUT_MS);
  const facts = { play: played, before: before!, records, events: feed.about(sessionId) };
  return { ...facts, checks: verify({ ...facts, provider: options.provider ?? 'offline' }) };
}

function whoReplies({ provider, mock }: Options): string {
  if (!provider) return 'from the offline provider: no key, no model, it measures pictures (real: --provider gemini)';
  return mock ? `from a server on this machine that speaks the protocol of ${provider}: always the same, no model` : `from ${provider}, with your key`;
}

/** Fails when there is no use in waiting any longer. */
async function untilHopeless(suite: Suite, signal: AbortSignal): Promise<never> {
  await Promise.race([aborted(signal), suite.exited]);
  throw new UserError(signal.aborted ? 'Stopped.' : `The emulators ended by themselves: read ${suite.logFile}.`);
}

await runCommand(async () => {
  const begun = performance.now();
  const options = readOptions(process.argv.slice(2), process.env, process.env['INIT_CWD'] ?? ROOT);
  const pictures = readImages(options.framesFolder ?? SAMPLE_FRAMES);
  const signal = abortOnSignal();
  const { stdout } = process;
  const narrator = options.json
    ? quietNarrator((line) => console.error(line.trim()))
    : createNarrator({ write: (text) => stdout.write(text), isTTY: stdout.isTTY, columns: stdout.isTTY ? stdout.columns : 110 });
  narrator.say('JIGA demo: a player, an AI agent and one session, on the Firebase emulators\n');
  buildFunctions();
  let suite: Suite | undefined;
  let mocks: MockVendor[] = [];
  const connections = new Connections();
  try {
    const suiteBegun = performance.now();
    if (options.mock) mocks = [await startMockVendor(), await startMockCloudSpeech()];
    const [vendor, speech] = mocks;
    const env = options.provider && vendor && speech ? mockEnvironment(options.provider, vendor.url, speech.url) : keyEnvironment(options.provider, process.env);
    suite = await startSuite({ importFrom: EMULATOR_DATA, env, logFile: join(CACHE, 'demo.log'), signal });
    const startMs = Math.round(performance.now() - suiteBegun);
    narrator.say(`${label('emulators')}${suite.description}`);
    narrator.say(`${label('replies')}${whoReplies(options)}`);
    const facts = await Promise.race([drive(suite, { options, pictures, narrator, connections, signal }), untilHopeless(suite, signal)]);
    const result: Result = {
      ...facts,
      suite: { startMs, description: suite.description, logFile: suite.logFile, functionsUrl: suite.urls.functions ?? '' },
      totalMs: Math.round(performance.now() - begun),
    };
    console.log(options.json ? reportJson(result) : reportLines(result).join('\n'));
    return isSound(result) ? 0 : 1;
  } catch (error) {
    // The line that was being written is not finished.
    if (!options.json) stdout.write('\n');
    if (!signal.aborted) throw error;
    console.error('Stopping ...');
    return INTERRUPTED;
  } finally {
    await connections.close();
    await suite?.stop();
    await Promise.all(mocks.map((mock) => mock.close()));
  }
});
// A call that was cut off leaves a timer of the client SDK behind, which would keep the process for a minute.
setTimeout(() => process.exit(), 1_000).unref();
