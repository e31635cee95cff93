import assert from 'node:assert/strict';
import fc from 'fast-check';
import { modelRequest } from '../../test/vendors/collect.ts';
import { AppError } from '../runtime/errors.ts';
import { useLog } from '../runtime/log.ts';
import { useSystem } from '../runtime/system.ts';
import { failuresToOpen, newBreakers, restMs } from './breakers.ts';
import { badMedia, notConfigured, vendorDown } from './failures.ts';
import { resilientProvider } from './resilient.ts';
import { mostCalls } from './retry.ts';
import { noUsage, type ModelEvent, type ModelRequest, type ModelTarget } from './types.ts';

const late = () => new AppError('deadline-exceeded', 'late', { reason: 'provider_timeout' });
const errors = {
  busy: () => new AppError('unavailable', 'busy', { reason: 'provider_busy' }),
  'busy for 3 s': () => new AppError('unavailable', 'busy', { reason: 'provider_busy', retryAfterMs: 3_000 }),
  down: () => vendorDown('gemini'),
  slow: late,
  unset: () => notConfigured('no model'),
  unreadable: () => badMedia('unreadable'),
};
type Kind = keyof typeof errors;
const vendorFaults: Kind[] = ['busy', 'busy for 3 s', 'down', 'slow'];

/** What a call does: takes its time, says some words, then ends or fails. */
interface Call { ms: number; words: number; fails: Kind | null }
const anyCall = fc.record({
  ms: fc.constantFrom(0, 5, 700, 4_000),
  words: fc.constantFrom(0, 0, 0, 1, 3),
  fails: fc.option(fc.constantFrom(...Object.keys(errors) as Kind[]), { freq: 6 }),
}) satisfies fc.Arbitrary<Call>;
const anyHistory = fc.record({
  calls: fc.array(anyCall, { minLength: 1, maxLength: 40 }),
  turns: fc.array(fc.record({ targets: fc.integer({ min: 1, max: 3 }), timeMs: fc.constantFrom(1, 500, 6_000, 45_000), pauseMs: fc.constantFrom(0, 1_000, restMs) }), { minLength: 1, maxLength: 10 }),
  chances: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 5 }),
});

describe('laws of the resilient provider', () => {
  afterEach(() => {
    useSystem(null);
    useLog(null);
  });

  it('hold for any history of failures', async () => {
    useLog({ info: () => undefined, warn: () => undefined, write: () => undefined });
    await fc.assert(fc.asyncProperty(anyHistory, async ({ calls, turns, chances }) => {
      const world = new World(calls, chances);
      for (const { targets, timeMs, pauseMs } of turns) {
        await world.turn(targets, timeMs);
        world.time += pauseMs;
      }
    }), { numRuns: 2_000 });
  });
});

/** A clock, models that play a list of calls, and what the laws say about them: a second account of the breakers, and of the turn. */
class World {
  time = 1_000_000;
  private readonly breakers = newBreakers();
  private readonly calls: Call[];
  private readonly health = new Map<string, { failures: number; openUntil: number }>();
  private deadlineAt = 0;
  private asked = new Map<string, number>();
  private spoken = false;
  private abort = new AbortController();

  constructor(calls: Call[], chances: number[]) {
    this.calls = [...calls];
    let drawn = 0;
    useSystem({
      now: () => this.time, newId: () => 'id', random: () => chances[drawn++ % chances.length]!,
      after: (ms, act) => {
        assert.ok(this.time + ms < this.deadlineAt, 'a wait past the deadline');
        this.time += ms;
        queueMicrotask(act);
        return () => undefined;
      },
    });
  }

  async turn(count: number, timeMs: number): Promise<void> {
    const targets = Array.from({ length: count }, (_, index): ModelTarget => ({ provider: 'gemini', model: `m${index}` }));
    this.deadlineAt = this.time + timeMs;
    this.asked = new Map();
    this.spoken = false;
    this.abort = new AbortController();
    const deps = { load: () => Promise.resolve({ name: 'gemini' as const, generate: (request: ModelRequest) => this.play(request) }), breakers: this.breakers, deadlineAt: this.deadlineAt };
    const types: string[] = [];
    const outcome = await (async () => {
      for await (const { type } of resilientProvider(targets, deps).generate(modelRequest({ signal: this.abort.signal }))) types.push(type);
    })().then(() => null, (error: unknown) => error);
    const shown = types.join(' ');
    assert.ok(outcome === null || outcome instanceof AppError, 'only errors that a client may see');
    assert.match(shown, outcome === null ? /^(degraded )?(text )*done$/ : /^((degraded )?text( text)*)?$/);
    assert.equal(types.includes('text') || types.includes('done'), this.spoken, 'what a model says is passed on');
    for (const calls of this.asked.values()) assert.ok(calls <= mostCalls);
    if (types[0] === 'degraded') assert.ok(count > 1);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- providers answer with async streams, this one is in memory
  private async *play({ model }: ModelRequest): AsyncGenerator<ModelEvent, void> {
    const { ms, words, fails } = this.calls.shift() ?? { ms: 0, words: 1, fails: null };
    const health = this.health.get(model) ?? { failures: 0, openUntil: 0 };
    this.health.set(model, health);
    assert.ok(!this.spoken, 'a call after text');
    assert.ok(this.time >= health.openUntil, 'a call while the breaker is open');
    assert.ok(this.time < this.deadlineAt, 'a call after the deadline');
    assert.ok(!this.abort.signal.aborted, 'a call after the end of the turn');
    this.asked.set(model, (this.asked.get(model) ?? 0) + 1);
    this.time += ms;
    const inTime = this.time < this.deadlineAt;
    if (!inTime) this.abort.abort(late());
    if (inTime && (words > 0 || fails === null)) Object.assign(health, { failures: 0, openUntil: 0 });
    else if (!inTime || vendorFaults.includes(fails!)) this.failed(health);
    else if (health.openUntil > 0) Object.assign(health, { failures: 0, openUntil: 0 });
    if (!inTime) throw late();
    this.spoken = words > 0 || fails === null;
    for (let word = 0; word < words; word++) yield { type: 'text', text: 'word' };
    if (fails) throw errors[fails]();
    yield { type: 'done', outcome: 'complete', usage: noUsage };
  }

  /** Five in a row open the breaker, and so does a failed probe. */
  private failed(health: { failures: number; openUntil: number }): void {
    health.failures++;
    if (health.failures >= failuresToOpen || health.openUntil > 0) health.openUntil = this.time + restMs;
  }
}
