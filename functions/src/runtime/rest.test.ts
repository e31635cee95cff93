import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { z } from 'zod';
import { AppError } from './errors.ts';
import { useLog } from './log.ts';
import { operation } from './operation.ts';
import { restApi } from './rest.ts';

const showPicture = operation({
  name: 'showPicture', summary: 'Shows.', access: 'public', route: { method: 'get', path: '/pictures/{name}' }, input: z.strictObject({ name: z.string() }), output: z.object({ url: z.string() }),
  redirect: ({ url }) => url,
  handle({ name }) {
    if (name === 'none') throw new AppError('not-found', 'There is no such picture.', { reason: 'not_found' });
    return Promise.resolve({ url: `https://pictures.example/${name}?signature=a%2Fb` });
  },
});

describe('the REST API: an operation that leads elsewhere', () => {
  let server: Server;
  let origin: string;
  before(async () => {
    useLog({ info: () => undefined, warn: () => undefined, write: () => undefined });
    const files = express.Router();
    files.get('/files/one', (_request, response) => void response.send('1'));
    server = restApi([showPicture], () => Promise.resolve({}), files).listen(0, '127.0.0.1');
    await once(server, 'listening');
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    useLog(null);
    server.closeAllConnections();
    server.close();
  });
  const ask = (path: string, method = 'GET') => fetch(`${origin}${path}`, { method, redirect: 'manual' });

  it('is answered with 302 and the address as it is, which nobody may keep', async () => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask('/v1/pictures/dog', method);
      assert.deepEqual([answer.status, answer.headers.get('location'), answer.headers.get('cache-control'), await answer.text()], [302, 'https://pictures.example/dog?signature=a%2Fb', 'private, no-store', ''], method);
    }
  });

  it('is refused as any other', async () => {
    const answer = await ask('/v1/pictures/none');
    assert.deepEqual([answer.status, answer.headers.get('location'), await answer.json()], [404, null, { error: { code: 'not-found', message: 'There is no such picture.', details: { reason: 'not_found' } } }]);
    assert.equal((await ask('/v1/pictures/none', 'HEAD')).status, 404);
  });

  it('stands beside routes that are no operations', async () => {
    assert.equal(await (await ask('/v1/files/one')).text(), '1');
    assert.equal((await ask('/v1/files/two')).status, 404);
  });
});
