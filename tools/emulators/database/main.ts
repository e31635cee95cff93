/**
 * Runs the Realtime Database emulator, with the arguments that the emulator suite gives to the
 * official one: --port, --host, --functions_emulator_host and --functions_emulator_port.
 */

import { parseArgs } from 'node:util';
import { messageOf } from './errors.ts';
import { startDatabaseEmulator } from './server.ts';

const { values } = parseArgs({
  // The suite may pass more than this server has a use for.
  strict: false,
  options: {
    port: { type: 'string', default: '9000' },
    host: { type: 'string', default: '127.0.0.1' },
    functions_emulator_host: { type: 'string' },
    functions_emulator_port: { type: 'string' },
    single_project_mode: { type: 'string' },
  },
});
const host = String(values.host);
const port = Number(values.port);
const functions = values.functions_emulator_host === undefined || values.functions_emulator_port === undefined
  ? null
  : { host: String(values.functions_emulator_host), port: Number(values.functions_emulator_port) };

try {
  const emulator = await startDatabaseEmulator({ host, port, functions });
  const stop = (): void => { void emulator.close().then(() => { process.exit(0); }); };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  console.log(`Database emulator listening on ${emulator.host}:${emulator.port}`);
} catch (error) {
  const inUse = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  console.error(`Database emulator: ${inUse ? `address already in use: ${host}:${port}` : messageOf(error)}`);
  process.exit(1);
}
