import assert from 'node:assert/strict';
import { startMockVendor, type MockVendor } from '../../test/vendors/server.ts';
import { useSystem } from '../runtime/system.ts';
import { retryAfterOf, vendorLine, withGlobalFetch } from './vendor-fetch.ts';

describe('a line to a vendor', () => {
  let vendor: MockVendor;
  before(async () => {
    vendor = await startMockVendor();
  });
  after(() => vendor.close());
  const url = () => `${vendor.url}/v1/chat/completions`;
  const post = { method: 'POST', body: '{}' };

  it('follows no redirect', async () => {
    const elsewhere = await startMockVendor();
    vendor.mode = 'redirect';
    vendor.redirectTo = elsewhere.url;
    await assert.rejects(vendorLine(1_000).fetch(url(), { ...post, redirect: 'follow' }));
    assert.equal(elsewhere.requests.length, 0);
    await elsewhere.close();
  });

  it('reads a body up to its bound and closes the connection of a longer one', async () => {
    vendor.mode = 'ok';
    const bytes = (await (await vendorLine(10_000).fetch(url(), post)).arrayBuffer()).byteLength;
    await (await vendorLine(bytes).fetch(url(), post)).arrayBuffer();
    await assert.rejects((await vendorLine(bytes - 1).fetch(url(), post)).arrayBuffer());
    vendor.mode = 'oversized';
    vendor.requests.length = 0;
    await assert.rejects((await vendorLine(100_000).fetch(url(), post)).text());
    assert.equal(await vendor.requests[0]?.closed, false);
  });

  it('tells what the last answer said of when to try again', async () => {
    const line = vendorLine(10_000);
    vendor.mode = 'busy';
    await line.fetch(url(), post);
    assert.equal(line.retryAfterMs, 17_000);
    vendor.mode = 'ok';
    await line.fetch(url(), post);
    assert.equal(line.retryAfterMs, undefined);
  });

  it('stands in for the global fetch where it is asked to, and nowhere else', async () => {
    vendor.mode = 'busy';
    const line = vendorLine(10_000);
    await Promise.all([
      withGlobalFetch(line.fetch, async () => {
        await new Promise(setImmediate);
        await fetch(url(), post);
      }),
      fetch(url(), post),
    ]);
    assert.equal(line.retryAfterMs, 17_000);
    vendor.mode = 'ok';
    await fetch(url(), post);
    assert.equal(line.retryAfterMs, 17_000, 'a fetch outside went through the line');
  });
});

describe('when to try again', () => {
  const read = (headers: Record<string, string>) => retryAfterOf(new Headers(headers));
  const at = Date.parse('2026-11-20T10:00:00Z');
  before(() => useSystem({ now: () => at, newId: () => '', random: () => 0, after: () => () => {} }));
  after(() => useSystem(null));

  it('is read from milliseconds, seconds or a date', () => {
    assert.equal(read({ 'retry-after-ms': '250', 'retry-after': '1' }), 250);
    assert.equal(read({ 'retry-after': '7' }), 7_000);
    assert.equal(read({ 'retry-after': 'Fri, 20 Nov 2026 10:00:05 GMT' }), 5_000);
    assert.equal(read({ 'retry-after': 'Fri, 20 Nov 2026 09:00:00 GMT' }), 0);
  });

  it('is unknown when it is not told or no time', () => {
    for (const headers of [{}, { 'retry-after': '' }, { 'retry-after': 'soon' }, { 'retry-after': '-5' }, { 'retry-after-ms': 'NaN' }]) assert.equal(read(headers), undefined, JSON.stringify(headers));
  });
});
