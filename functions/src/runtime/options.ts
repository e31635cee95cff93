import { setGlobalOptions } from 'firebase-functions/options';

/**
 * Options of every function, imported before any function is defined. Instances are capped so that a flood
 * costs a bounded amount; functions that need more say so where they are defined.
 */
setGlobalOptions({
  region: process.env['JIGA_REGION'] ?? 'us-central1',
  maxInstances: 100,
  concurrency: 80,
  memory: '512MiB',
  timeoutSeconds: 60,
});
