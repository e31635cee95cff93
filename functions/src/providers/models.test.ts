import assert from 'node:assert/strict';
import { knownShutdown } from './models.ts';
import type { VendorName } from './types.ts';

describe('known shutdowns', () => {
  const table: [VendorName, string, string | null][] = [
    ['openai', 'tts-1', '2027-01-06'],
    ['openai', 'gpt-4o-mini', '2027-01-14'],
    ['openai', 'gpt-6-luna', null],
    ['gemini', 'gemini-2.0-flash', '2026-06-01'],
    ['gemini', 'gemini-2.5-flash', '2026-12-01'],
    ['google', 'gemini-2.5-flash', '2026-10-20'],
    ['google', 'multimodalembedding@001', '2027-04-01'],
    ['google', 'tts-1', null],
    ['gemini', 'constructor', null],
  ];
  for (const [provider, model, day] of table) {
    it(`${provider}/${model}: ${day ?? 'none'}`, () => {
      assert.equal(knownShutdown(provider, model), day === null ? null : Date.parse(`${day}T00:00:00Z`));
    });
  }
});
