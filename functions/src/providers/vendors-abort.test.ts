import assert from 'node:assert/strict';
import { adapters, failureOf, plantedRequest, watchSdks } from '../../test/vendors/adapters.ts';
import { collect } from '../../test/vendors/collect.ts';
import { startMockVendor, type MockVendor } from '../../test/vendors/server.ts';
import { AppError } from '../runtime/errors.ts';
import type { ModelProvider } from './types.ts';

/** What an abort may take to close the vendor's connection, ms. */
const mostMs = 100;

for (const { title, model, load } of adapters) {
  describe(`provider ${title}, when nobody waits any more`, () => {
    let vendor: MockVendor;
    let provider: ModelProvider;
    before(async () => {
      vendor = await startMockVendor();
      provider = load(vendor.url);
    });
    after(() => vendor.close());
    beforeEach(() => void (vendor.requests.length = 0));
    watchSdks();

    /** Aborts a call that the vendor has got; ms until its connection was closed. */
    const closingMs = async (stream: boolean): Promise<number> => {
      const deadline = new AbortController();
      const arrived = vendor.next();
      const failed = failureOf(provider.generate(plantedRequest(model, stream, deadline.signal)));
      const { closed } = await arrived;
      const start = performance.now();
      deadline.abort();
      assert.equal(await closed, false);
      const ms = performance.now() - start;
      assert.deepEqual((await failed).details, { reason: 'provider_timeout' });
      return ms;
    };

    for (const stream of [true, false]) {
      for (const [mode, when] of [['slow', 'before the first byte'], ['stalled', 'in the middle']] as const) {
        it(`closes the connection ${when} within ${mostMs} ms, ${stream ? 'streaming' : 'as a whole'}`, async () => {
          vendor.mode = mode;
          // The best of three: a busy machine can be late, an adapter that does not close never is in time.
          const best = Math.min(await closingMs(stream), await closingMs(stream), await closingMs(stream));
          assert.ok(best < mostMs, `${best} ms`);
          assert.equal(vendor.requests.length, 3);
        });
      }
    }

    it('throws the reason it was given, after the text that had come', async () => {
      vendor.mode = 'stalled';
      const leaving = new AbortController();
      const reason = new AppError('aborted', 'The session was closed.', { reason: 'session_closed' });
      let text = '';
      await assert.rejects(async () => {
        for await (const event of provider.generate(plantedRequest(model, true, leaving.signal))) {
          if (event.type === 'text') text += event.text;
          leaving.abort(reason);
        }
      }, reason);
      assert.equal(text, 'The player ');
      assert.equal(await vendor.requests[0]?.closed, false);
    });

    it('closes the connection when the reader leaves', async () => {
      vendor.mode = 'stalled';
      for await (const event of provider.generate(plantedRequest(model, true))) {
        assert.equal(event.type, 'text');
        break;
      }
      assert.equal(await vendor.requests[0]?.closed, false);
    });

    it('sends nothing when it is too late already', async () => {
      vendor.mode = 'ok';
      assert.equal((await failureOf(provider.generate(plantedRequest(model, true, AbortSignal.abort())))).code, 'deadline-exceeded');
      assert.equal(vendor.requests.length, 0);
    });

    it('does not mix up calls that run at the same time', async () => {
      vendor.mode = 'slow';
      const deadline = new AbortController();
      const arrived = vendor.next();
      const failed = failureOf(provider.generate(plantedRequest(model, true, deadline.signal)));
      const { closed } = await arrived;
      vendor.mode = 'ok';
      const others = await Promise.all([true, false].map((stream) => collect(provider.generate(plantedRequest(model, stream)))));
      assert.deepEqual(others.map(({ done }) => done[0]?.outcome), ['complete', 'complete']);
      deadline.abort();
      assert.equal((await failed).code, 'deadline-exceeded');
      assert.equal(await closed, false);
    });
  });
}
