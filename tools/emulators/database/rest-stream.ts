/** Changes streamed over HTTP as server-sent events. */

import type { ServerResponse } from 'node:http';
import type { Listener } from './listeners.ts';
import type { Namespace } from './namespace.ts';
import { parsePath } from './path.ts';
import { indexedQuery } from './rest.ts';
import type { Identity } from './rules.ts';
import { toJson } from './tree.ts';

const KEEP_ALIVE_MS = 30_000;

/** Sends the data at a path and everything that happens to it, until one of the sides hangs up. */
export function streamChanges(database: Namespace, who: Identity, path: string, parameters: URLSearchParams, response: ServerResponse): void {
  const top = parsePath(path);
  const send = (event: string, data: string): void => { response.write(`event: ${event}\ndata: ${data}\n\n`); };
  const put = (event: string, at: readonly string[], json: string): void => {
    send(event, `{"path":${JSON.stringify(`/${at.join('/')}`)},"data":${json}}`);
  };
  const listener: Listener = {
    path: top,
    query: indexedQuery(database, who, top, parameters),
    who: () => who,
    send: (update) => { put(update.merge ? 'patch' : 'put', update.path.slice(top.length), update.json()); },
    revoke: () => {
      send('cancel', 'null');
      response.end();
    },
  };
  const data = database.listen(listener);
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  put('put', [], JSON.stringify(toJson(data)));
  const keepAlive = setInterval(() => { send('keep-alive', 'null'); }, KEEP_ALIVE_MS).unref();
  response.on('close', () => {
    clearInterval(keepAlive);
    database.unlisten(listener);
  });
}
