// Loaded before the functions: requests of the SDKs to App Check and to Firebase Auth, and for the access token that they want, go to a server of the test.
import http, { type ClientRequest, type RequestOptions } from 'node:http';
import https from 'node:https';

const hosts = ['firebaseappcheck.googleapis.com', 'identitytoolkit.googleapis.com', 'oauth2.googleapis.com', 'www.googleapis.com'];
const port = process.env['JIGA_TEST_GOOGLE_PORT'];

https.request = ((given: RequestOptions | string | URL, ...rest: unknown[]): ClientRequest => {
  const more = rest.find((each) => typeof each === 'object') as RequestOptions | undefined;
  const options: RequestOptions = typeof given === 'string' || given instanceof URL ? { ...hostAndPath(new URL(given)), ...more } : given;
  const host = String(options.hostname ?? options.host);
  if (!hosts.includes(host)) throw new Error(`a test asks ${host}`);
  const { agent: _agent, ...others } = options;
  const call = rest.find((each) => typeof each === 'function') as ((response: http.IncomingMessage) => void) | undefined;
  return http.request({ ...others, protocol: 'http:', host: '127.0.0.1', hostname: '127.0.0.1', port: Number(port) }, call);
});

function hostAndPath({ hostname, pathname, search }: URL): RequestOptions {
  return { hostname, path: `${pathname}${search}` };
}
