import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { HttpsError } from 'firebase-functions/https';
import { z } from 'zod';
import type { Caller } from './caller.ts';
import { AppError, toAppError } from './errors.ts';
import { userTag } from './log.ts';
import { callable, operation, runOperation, type CallContext, type Calling, type Operation } from './operation.ts';
import { withLog } from '../../test/printed.ts';

const ada: Caller = { uid: 'ada', email: null, emailVerified: false, admin: false };
const root: Caller = { uid: 'root', email: null, emailVerified: false, admin: true };
const quiet = { emit: () => undefined, signal: new AbortController().signal };
type Handle = (input: { name: string; times: number }, context: CallContext) => Promise<{ greeting: string }>;

function greet(access: Operation['access'] = 'signed-in', handle: Handle = ({ name, times }) => Promise.resolve({ greeting: `Hello ${name}`.repeat(times) })) {
  return operation({
    name: 'greet', summary: 'Greets.', access, route: { method: 'post', path: '/greetings' },
    input: z.strictObject({ name: z.string(), times: z.int().default(1) }), output: z.object({ greeting: z.string() }), handle,
  });
}

const run = (op: Operation, raw: unknown, caller: Calling, stream: Pick<CallContext, 'emit' | 'signal'> = quiet) => withLog(() => runOperation(op, raw, caller, stream));

describe('an operation: access', () => {
  it('lets anybody call what is public, as nobody', async () => {
    const { output } = await run(greet('public', (_input, { caller }) => Promise.resolve({ greeting: JSON.stringify(caller) })), { name: 'x' }, null);
    assert.deepEqual(output, { greeting: '{"uid":"","email":null,"emailVerified":false,"admin":false}' });
  });

  it('refuses who has not signed in', async () => {
    for (const access of ['signed-in', 'admin'] as const) {
      const { error } = await run(greet(access), { name: 'x' }, null);
      assert.deepEqual([error?.code, error?.details], ['unauthenticated', { reason: 'signed_out' }]);
    }
    assert.deepEqual((await run(greet(), { name: 'Ada' }, ada)).output, { greeting: 'Hello Ada' });
  });

  it('refuses who is no administrator', async () => {
    assert.equal((await run(greet('admin'), { name: 'x' }, ada)).error?.code, 'permission-denied');
    assert.ok((await run(greet('admin'), { name: 'x' }, root)).output);
  });

  it('says nothing about the input of somebody who may not call', async () => {
    assert.equal((await run(greet(), { wrong: true }, null)).error?.code, 'unauthenticated');
  });
});

describe('an operation: input', () => {
  it('reaches the handler checked and completed', async () => {
    assert.deepEqual((await run(greet(), { name: 'A', times: 2 }, ada)).output, { greeting: 'Hello AHello A' });
  });

  it('is refused with every issue by its path', async () => {
    const { error } = await run(greet(), { times: 0.5, extra: 1 }, ada);
    assert.equal(error?.code, 'invalid-argument');
    assert.equal(error.details?.reason, 'bad_input');
    const issues = error.details['issues'] as { path: string; message: string }[];
    assert.deepEqual(issues.map((issue) => issue.path).sort(), ['', 'name', 'times']);
    assert.ok(issues.every((issue) => issue.message !== ''));
    assert.match(error.message, /^The input is not valid: name: Invalid input/);
    assert.match((await run(greet(), { name: 'x', extra: 1 }, ada)).error?.message ?? '', /^The input is not valid: input: Unrecognized key/);
  });

  it('may have null for a field that was left out, but not for one that is needed or unknown', async () => {
    assert.deepEqual((await run(greet(), { name: 'you', times: null }, ada)).output, { greeting: 'Hello you' });
    for (const input of [{ name: null }, { name: 'you', other: null }]) assert.equal((await run(greet(), input, ada)).error?.details?.reason, 'bad_input');
  });

  it('cannot bring a prototype', async () => {
    const input = Object.assign(Object.create({ admin: true }) as object, { name: 'you', times: null });
    assert.equal((await run(greet(), input, ada)).error?.details?.reason, 'bad_input');
  });

  it('names ten issues at most', async () => {
    const op = operation({ ...greet(), input: z.array(z.string()), handle: () => Promise.resolve({ greeting: '' }) });
    const { error } = await run(op, Array.from({ length: 50 }, (_, index) => index), ada);
    assert.equal((error?.details?.['issues'] as unknown[]).length, 10);
  });

  it('is forgotten as it was sent when the handler lets go of it, and is still its own', async () => {
    const raw: Record<string, unknown> = { name: 'A', times: 2 };
    const seen: unknown[] = [];
    const { output } = await withLog(() => runOperation(greet('public', (input, { letGo }) => {
      letGo!();
      seen.push({ ...raw });
      return Promise.resolve({ greeting: input.name.repeat(input.times) });
    }), raw, ada, { ...quiet, letGo: () => seen.push('carrier') }));
    assert.deepEqual([output, seen], [{ greeting: 'AA' }, ['carrier', {}]]);
  });

  it('is not repeated at length, whatever its keys are called', async () => {
    const { error } = await run(greet(), { name: 'x', ['k'.repeat(60_000)]: 1 }, ada);
    assert.ok(error!.message.length < 250 && JSON.stringify(error!.details).length < 350, error!.message);
    assert.match(error!.message, /^The input is not valid: input: Unrecognized key: "kkk.*k….$/);
  });

  it('may be missing where nothing is needed', async () => {
    const op = operation({ ...greet(), input: z.strictObject({}), handle: () => Promise.resolve({ greeting: 'ok' }) });
    for (const raw of [undefined, null, {}]) assert.deepEqual((await run(op, raw, ada)).output, { greeting: 'ok' });
    for (const raw of ['text', 7, []]) assert.equal((await run(op, raw, ada)).error?.code, 'invalid-argument');
  });

  it('never appears in the log', async () => {
    assert.doesNotMatch((await run(greet(), { name: 'planted' }, ada)).log, /planted/);
    assert.doesNotMatch((await run(greet(), { name: 'planted', times: 'planted' }, ada)).log, /planted/);
  });
});

describe('an operation: output', () => {
  it('loses every field that the contract does not name', async () => {
    const leaky = () => Promise.resolve({ greeting: 'hi', apiKey: 'planted' });
    assert.deepEqual((await run(greet('signed-in', leaky), { name: 'x' }, ada)).output, { greeting: 'hi' });
  });

  it('that breaks the contract is an internal error', async () => {
    const broken = (() => Promise.resolve({ greeting: 7 })) as unknown as Handle;
    assert.equal((await run(greet('signed-in', broken), { name: 'x' }, ada)).error?.code, 'internal');
  });

  it('is streamed while it is made, until the caller has gone', async () => {
    const chunks: unknown[] = [];
    const { signal } = new AbortController();
    await run(greet('signed-in', (_input, context) => {
      context.emit({ text: 'he' });
      assert.equal(context.signal, signal);
      return Promise.resolve({ greeting: 'hello' });
    }), { name: 'x' }, ada, { emit: (chunk) => chunks.push(chunk), signal });
    assert.deepEqual(chunks, [{ text: 'he' }]);
  });
});

describe('an operation: failure', () => {
  it('answers with the error that the domain chose', async () => {
    const refusal = new AppError('resource-exhausted', 'No DOFs.', { reason: 'no_dofs' });
    const { error, log } = await run(greet('signed-in', () => Promise.reject(refusal)), { name: 'x' }, ada);
    assert.equal(error, refusal);
    assert.match(log, /"operation":"greet","outcome":"resource-exhausted","reason":"no_dofs"/);
  });

  it('hides an unexpected error from the caller and writes it to the log', async () => {
    const { error, log } = await run(greet('signed-in', () => Promise.reject(new Error('socket of planted host'))), { name: 'x' }, ada);
    assert.deepEqual([error?.code, error?.details], ['internal', { reason: 'internal' }]);
    assert.doesNotMatch(`${error?.message}${JSON.stringify(error?.details)}`, /planted/);
    assert.match(log, /"severity":"ERROR"/);
    assert.match(log, /"name":"Error","message":"socket of planted host","stack":"at .*operation.test.ts/);
  });
});

describe('an operation as a callable', () => {
  const call = callable(greet('public', ({ name }, { emit, signal }) => {
    emit({ text: 'ignored unless the caller streams' });
    return Promise.resolve({ greeting: `Hello ${name}, ${signal.aborted ? 'gone' : 'here'}` });
  }));
  let server: Server;
  before(async () => {
    server = express().use(express.json(), (request, response) => void call(request as Parameters<typeof call>[0], response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const ask = (headers: Record<string, string>): ReturnType<typeof withLog<unknown>> => withLog(async () => {
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: '{"data":{"name":"x"}}' });
    return [response.status, await response.json()];
  });

  it('is answered as Firebase does', async () => {
    assert.deepEqual((await ask({})).output, [200, { result: { greeting: 'Hello x, here' } }]);
  });

  it('refuses a token that is none as the REST API does, and as Firebase does', async () => {
    const message = 'The ID token is not valid. Sign in again and send a fresh one.';
    for (const authorization of ['Basic dTpw', 'Bearer', 'x']) {
      assert.deepEqual((await ask({ authorization })).output, [401, { error: { details: { reason: 'signed_out' }, message, status: 'UNAUTHENTICATED' } }], authorization);
    }
  });

  it('takes nobody\'s word for who calls', async () => {
    const own = callable(greet());
    const auth = { uid: 'ada', token: {} } as NonNullable<Parameters<typeof own.run>[0]['auth']>;
    const { error } = await withLog(async () => own.run({ data: { name: 'x' }, acceptsStreaming: false, auth, rawRequest: { headers: {} } } as Parameters<typeof own.run>[0]));
    assert.ok(error instanceof HttpsError);
    assert.deepEqual([error.code, error.message, error.details], ['unauthenticated', 'Sign in first.', { reason: 'signed_out' }]);
  });

  it('leaves no body behind that its handler has let go of', async () => {
    const rawRequest = { headers: {}, body: { data: { name: 'x' } } };
    const own = callable(greet('public', (_input, { letGo }) => {
      letGo!();
      return Promise.resolve({ greeting: JSON.stringify(rawRequest) });
    }));
    const { output } = await withLog(async () => own.run({ data: { name: 'x' }, acceptsStreaming: false, rawRequest } as unknown as Parameters<typeof own.run>[0]));
    assert.deepEqual(output, { greeting: '{"headers":{}}' });
  });

  it('keeps what the platform reads of it', () => {
    assert.deepEqual([typeof call.run, '__endpoint' in call, '__trigger' in call], ['function', true, true]);
  });
});

describe('an operation: its log', () => {
  it('calls an answer that breaks the contract no success', async () => {
    const broken = (() => Promise.resolve({ greeting: 1 })) as unknown as Handle;
    assert.doesNotMatch((await run(greet('signed-in', broken), { name: 'x' }, ada)).log, /"outcome":"ok"/);
  });

  it('names what caused an internal error', async () => {
    const { log, error } = await run(greet('signed-in', () => Promise.reject(toAppError(new Error('socket hang up')))), { name: 'x' }, ada);
    assert.match(log, /socket hang up/);
    assert.doesNotMatch(error?.message ?? '', /socket/);
  });

  it('names the ids that an operator looks things up by, and nothing else of the input', async () => {
    const { log } = await run(greet(), { name: 'secret words', sessionId: 's-1', requestId: 'not an id!' }, ada);
    assert.ok(log.startsWith(`{"sessionId":"s-1","user":"${userTag('ada')}","operation":"greet"`), log);
    assert.doesNotMatch(log, /secret words|not an id|ada/);
  });

  it('has a call whose caller could not be told, too, and what was behind it', async () => {
    const outage = new AppError('unavailable', 'Tokens cannot be verified right now.', { reason: 'not_ready' }, { cause: new Error('no permission to look accounts up') });
    const { log, error } = await run(greet(), { name: 'x', sessionId: 's-1' }, () => Promise.reject(outage));
    assert.equal(error, outage);
    assert.match(log, /^\{"sessionId":"s-1","operation":"greet","outcome":"unavailable","reason":"not_ready",.*"because":"Tokens cannot be verified right now.".*no permission to look accounts up/);
    const refused = new AppError('unauthenticated', 'The ID token is not valid.', { reason: 'signed_out' });
    assert.match((await run(greet(), { name: 'x' }, () => Promise.reject(refused))).log, /"outcome":"unauthenticated","reason":"signed_out".*"severity":"INFO"/);
  });

  it('warns of what is not the caller\'s fault, with its safe message', async () => {
    const down = new AppError('unavailable', 'The model did not answer.', { reason: 'provider_unavailable' });
    const { log } = await run(greet('signed-in', () => Promise.reject(down)), { name: 'x' }, ada);
    assert.match(log, /"because":"The model did not answer."/);
    assert.match(log, /"severity":"WARNING"/);
  });
});
