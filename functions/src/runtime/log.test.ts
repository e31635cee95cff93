import assert from 'node:assert/strict';
import { setImmediate as settled } from 'node:timers/promises';
import { onRequest } from 'firebase-functions/https';
import { onDocumentCreated } from 'firebase-functions/firestore';
import { entriesOf, withLog } from '../../test/printed.ts';
import { lines } from './lines.ts';
import { log, logAbout, userTag } from './log.ts';
import { runTrigger } from './trigger.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const traced = `projects/${process.env['GCLOUD_PROJECT']}/traces/${traceId}`;
const headers = { 'X-Cloud-Trace-Context': { 'x-cloud-trace-context': `${traceId}/1234567890;o=1` }, traceparent: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` } };

describe('the log', () => {
  it('says of every entry of a call what it is about, however deep and late it is written', async () => {
    const { log: printed } = await withLog(() => Promise.all([
      logAbout({ sessionId: 's1', user: 'u' }, async () => {
        log.warn('before', { turnId: 't1' });
        await settled();
        await logAbout({ requestId: 'r1' }, async () => {
          await settled();
          log.write({ severity: 'ERROR', message: 'inside' });
        });
      }),
      logAbout({ sessionId: 's2' }, async () => {
        await settled();
        lines.transaction.write({ type: 'settlement', amountDOFs: 3, sessionId: 's3' });
      }),
    ]));
    assert.deepEqual(entriesOf(printed), [
      { sessionId: 's1', user: 'u', turnId: 't1', severity: 'WARNING', message: 'before' },
      { sessionId: 's3', type: 'settlement', amountDOFs: 3, severity: 'INFO', message: 'transaction' },
      { sessionId: 's1', user: 'u', requestId: 'r1', severity: 'ERROR', message: 'inside' },
    ]);
  });

  for (const [name, given] of Object.entries(headers)) {
    it(`has the trace of a request that comes with ${name}`, async () => {
      const call = onRequest((_request, response) => {
        logAbout({ sessionId: 's1' }, () => log.info('called'));
        response.end();
      });
      const response = { on: () => undefined, end: () => undefined };
      const { log: printed } = await withLog(async () => call({ headers: given, method: 'GET' } as unknown as Parameters<typeof call>[0], response as unknown as Parameters<typeof call>[1]));
      assert.deepEqual(entriesOf(printed), [{ sessionId: 's1', severity: 'INFO', message: 'called', 'logging.googleapis.com/trace': traced }]);
    });
  }

  it('has the trace of an event that carries one', async () => {
    const trigger = onDocumentCreated('sessions/{sessionId}', ({ params: { sessionId } }) => runTrigger('test', { sessionId }, () => Promise.resolve(log.info('told'))));
    const event = { specversion: '1.0', id: 'e', source: 'x', type: 'google.cloud.firestore.document.v1.created', time: '2026-11-21T12:00:00Z', datacontenttype: 'application/json', document: 'sessions/s1', project: 'p', database: '(default)', namespace: '(default)', data: {}, traceparent: headers.traceparent.traceparent };
    const { log: printed } = await withLog(async () => (trigger as unknown as (raw: object) => Promise<unknown>)(event));
    assert.deepEqual(entriesOf(printed).at(-1), { sessionId: 's1', severity: 'INFO', message: 'told', 'logging.googleapis.com/trace': traced });
  });

  it('names a user by what can be made from the account id, and leads nowhere without it', () => {
    assert.equal(userTag('ada'), 'fdee430d40bd57de');
    assert.notEqual(userTag('ada'), userTag('adb'));
  });
});

describe('a trigger that fails', () => {
  it('is logged with its session, and tells the platform nothing of what was thrown', async () => {
    const cause = Object.assign(new Error('5 NOT_FOUND: No document to update: users/planted-account/agents/a1'), { code: 5 });
    const { log: printed, error } = await withLog(() => runTrigger('settleCheckpoint', { sessionId: 's1' }, () => Promise.reject(cause)));
    const [{ error: described, ...entry } = {}] = entriesOf(printed);
    assert.deepEqual(entry, { sessionId: 's1', trigger: 'settleCheckpoint', message: 'trigger failed', severity: 'ERROR' });
    assert.deepEqual({ ...described as object, stack: null }, { name: 'Error', code: 5, message: '5 NOT_FOUND: No document to update: users/…/agents/a1', stack: null });
    assert.equal(error?.message, 'settleCheckpoint failed: see the entry "trigger failed"');
    assert.doesNotMatch(`${error?.stack}${String(error?.cause)}${printed}`, /planted/);
  });
});
