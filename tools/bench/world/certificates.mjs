// Loaded into the measured instances before anything else: Google's certificates, with which ID tokens are verified, are
// fetched from the benchmark's own server instead. Everything after that is as deployed: an RS256 signature is checked
// for every call, and the Auth emulator is not asked for the account, as the Admin SDK does only on emulators.
import http from 'node:http';
import https from 'node:https';

const { hostname, port } = new URL(process.env.JIGA_CERTIFICATES);
const request = https.request;
https.request = (options, ...rest) => {
  const certificates = options?.hostname === 'www.googleapis.com' && String(options.path).startsWith('/robot/v1/metadata/x509/');
  if (!certificates) return request.call(https, options, ...rest);
  return http.request({ ...options, protocol: 'http:', host: hostname, hostname, port, agent: undefined }, ...rest);
};
