/** Fixed, so that the suite can be told of it before the tests start: outside the range that systems hand out. */
export const plantedVendorPort = 18_099;

/** A made-up key, with characters that other encodings change. */
export const plantedKey = 'planted-openai-key-7f3a/9c+2b1d';

/**
 * Environment that the suite of the emulator tests gets: OpenAI with a made-up key at an address of this machine,
 * where `secrets.emulator.test.ts` starts a mock vendor. Products of the other vendors run on `offline`.
 */
export const plantedEnvironment = {
  OPENAI_API_KEY: plantedKey,
  OPENAI_BASE_URL: `http://127.0.0.1:${plantedVendorPort}/v1`,
  // The tests make more calls than any player, all of them from one address; limits.emulator.test.ts sets its own limits.
  RATE_LIMIT_PER_USER: '1000000',
  RATE_LIMIT_PER_ADDRESS: '1000000',
};
