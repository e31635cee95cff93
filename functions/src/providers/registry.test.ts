import assert from 'node:assert/strict';
import { collect, everythingIn, modelRequest } from '../../test/vendors/collect.ts';
import { loadProvider, type ProviderSettings } from './registry.ts';
import { providerNames } from './types.ts';

const configuration = { name: 'AppError', code: 'failed-precondition', details: { reason: 'provider_configuration' } };

describe('provider registry', () => {
  it('loads every provider under its own name', async () => {
    for (const name of providerNames) assert.equal((await loadProvider(name, { apiKey: 'planted-key-1' })).name, name);
    assert.equal((await loadProvider('google', { project: 'demo-jiga' })).name, 'google');
    assert.match((await collect((await loadProvider('offline')).generate(modelRequest()))).text, /^\[offline\]/);
  });

  it('asks for a missing key', async () => {
    for (const name of ['gemini', 'google', 'openai'] as const) {
      for (const settings of [{}, { apiKey: '' }, { apiKey: ' \n' }]) await assert.rejects(loadProvider(name, settings), configuration);
    }
  });

  it('takes the addresses of the vendor itself', async () => {
    const own: [Parameters<typeof loadProvider>[0], string][] = [
      ['gemini', 'https://generativelanguage.googleapis.com/'],
      ['google', 'https://europe-west1-aiplatform.googleapis.com'],
      ['google', 'https://aiplatform.googleapis.com'],
      ['openai', 'https://eu.api.openai.com/v1'],
    ];
    for (const [name, baseUrl] of own) assert.equal((await loadProvider(name, { apiKey: 'planted-key-1', baseUrl })).name, name);
  });

  it('refuses every other address, and this machine unless allowed', async () => {
    const foreign = [
      'http://generativelanguage.googleapis.com', 'https://generativelanguage.googleapis.com.evil.example', 'https://evil.example/generativelanguage.googleapis.com',
      'https://user:pass@generativelanguage.googleapis.com', 'https://generativelanguage.googleapis.com:8443', 'https://generativelanguage.googleapis.com/?x=1', 'https://api.openai.com',
      'http://127.0.0.1:1', 'http://169.254.169.254', 'not an address', 'file:///etc/passwd',
    ];
    for (const baseUrl of foreign) await assert.rejects(loadProvider('gemini', { apiKey: 'planted-key-1', baseUrl }), configuration, baseUrl);
    const allowed: ProviderSettings = { apiKey: 'planted-key-1', allowLoopback: true };
    for (const baseUrl of ['http://127.0.0.1:1', 'http://localhost:5000/', 'http://[::1]:1']) assert.equal((await loadProvider('gemini', { ...allowed, baseUrl })).name, 'gemini');
    for (const baseUrl of ['http://127.0.0.1.evil.example', 'http://10.0.0.1', 'https://127.0.0.1']) await assert.rejects(loadProvider('gemini', { ...allowed, baseUrl }), configuration);
    await assert.rejects(loadProvider('google', { project: 'p', location: 'evil.example/' }), configuration);
  });

  it('shows no key in an error, even one that no header can carry', async () => {
    for (const name of ['gemini', 'google', 'openai'] as const) {
      const provider = await loadProvider(name, { apiKey: 'planted-key-9\nplanted', baseUrl: 'http://127.0.0.1:1', allowLoopback: true });
      await assert.rejects(collect(provider.generate(modelRequest())), (error) => !everythingIn(error).includes('planted'));
    }
  });
});
