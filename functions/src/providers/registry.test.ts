import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { collect, everythingIn, modelRequest } from '../../test/vendors/collect.ts';
import { foreignAddresses } from '../../test/vendors/addresses.ts';
import { loadEmbeddings, loadModelList, loadProvider, loadSpeech, loadVoiceTokens, type ProviderSettings } from './registry.ts';
import { providerNames, vendorNames, type VendorName } from './types.ts';

const configuration = { name: 'AppError', code: 'failed-precondition', details: { reason: 'provider_configuration' } };
const apiKey = 'planted-key-1';

const loaders = { loadProvider, loadSpeech, loadEmbeddings, loadVoiceTokens, loadModelList };

describe('provider registry', () => {
  for (const [title, load] of Object.entries(loaders)) {
    it(`${title} loads every provider under its own name`, async () => {
      for (const name of providerNames) assert.equal((await load(name, { apiKey })).name, name);
    });

    it(`${title} asks for a missing key`, async () => {
      for (const name of vendorNames) {
        for (const settings of [{}, { apiKey: '' }, { apiKey: ' \n' }]) await assert.rejects(load(name, settings), configuration);
      }
    });
  }

  it('needs no key where the function is known by its own identity', async () => {
    for (const load of [loadProvider, loadSpeech, loadEmbeddings, loadModelList]) assert.equal((await load('google', { project: 'demo-jiga', location: '' })).name, 'google');
    for (const load of Object.values(loaders)) await assert.rejects(load('gemini', { project: 'demo-jiga' }), configuration);
  });

  it('says of the offline provider that it is that', async () => {
    assert.match((await collect((await loadProvider('offline')).generate(modelRequest()))).text, /^\[offline\]/);
  });

  it('shows no key in an error, even one that no header can carry', async () => {
    for (const name of vendorNames) {
      const settings = { apiKey: 'planted-key-9\nplanted', baseUrl: 'http://127.0.0.1:1', speechBaseUrl: 'http://127.0.0.1:1', allowLoopback: true };
      const clean = (error: unknown) => !everythingIn(error).includes('planted');
      const { signal } = new AbortController();
      await assert.rejects(collect((await loadProvider(name, settings)).generate(modelRequest())), clean);
      await assert.rejects((await loadSpeech(name, settings)).speak({ text: 'x', voice: 'x', model: 'x', signal }), clean);
      await assert.rejects((await loadEmbeddings(name, settings)).embed({ model: 'x', texts: ['x'], purpose: 'query', signal }), clean);
      await assert.rejects((await loadVoiceTokens(name, settings)).mint({ model: 'x', voice: 'x', systemPrompt: 'x', expiresAt: 1, maxOutputTokens: 1, signal }), clean);
      await assert.rejects((await loadModelList(name, settings)).list(signal), clean);
    }
  });
});

describe('addresses of providers', () => {
  const own: Record<VendorName, ProviderSettings[]> = {
    gemini: [{ baseUrl: 'https://generativelanguage.googleapis.com' }, { baseUrl: 'https://generativelanguage.googleapis.com/' }, { baseUrl: 'HTTPS://GenerativeLanguage.GoogleAPIs.com' }, { baseUrl: 'https://generativelanguage.googleapis.com:443' }, { baseUrl: '' }],
    google: [{ baseUrl: 'https://europe-west1-aiplatform.googleapis.com' }, { baseUrl: 'https://aiplatform.googleapis.com' }, { baseUrl: 'https://generativelanguage.googleapis.com' }, { speechBaseUrl: 'https://texttospeech.googleapis.com' }, { speechBaseUrl: 'https://eu-texttospeech.googleapis.com/' }],
    openai: [{ baseUrl: 'https://eu.api.openai.com/v1' }, { baseUrl: 'https://api.openai.com/v1/' }],
  };
  const vendorsOf = Object.entries(own) as [VendorName, ProviderSettings[]][];
  /** Addresses of one vendor that are not another's. */
  const others: Record<VendorName, string[]> = {
    gemini: ['https://api.openai.com/v1', 'https://aiplatform.googleapis.com', 'https://us-central1-aiplatform.googleapis.com', 'https://texttospeech.googleapis.com'],
    google: ['https://api.openai.com/v1', 'https://eu.api.openai.com', 'https://texttospeech.googleapis.com', 'https://x.generativelanguage.googleapis.com'],
    openai: ['https://generativelanguage.googleapis.com', 'https://aiplatform.googleapis.com', 'https://texttospeech.googleapis.com', 'https://openai.com'],
  };

  let listeners: Server[];
  let port: number;
  let connections = 0;
  before(async () => {
    const listen = (host: string, at: number) => new Promise<Server>((resolve, reject) => {
      const server = createServer((socket) => {
        connections += 1;
        socket.destroy();
      });
      server.once('error', reject).listen(at, host, () => resolve(server));
    });
    const first = await listen('127.0.0.1', 0);
    ({ port } = first.address() as AddressInfo);
    listeners = [first, await listen('::1', port)];
  });
  after(() => listeners.forEach((server) => server.close()));

  it('are the vendor\'s own', async () => {
    for (const [name, settings] of vendorsOf) {
      for (const load of Object.values(loaders)) {
        for (const address of settings) assert.equal((await load(name, { apiKey, ...address })).name, name);
      }
    }
  });

  it('are none of a long list of tricks, whatever is loaded from whom, and nothing is asked', async () => {
    const addresses = foreignAddresses(port);
    assert.ok(addresses.length >= 60 && new Set(addresses).size === addresses.length);
    for (const [title, load] of Object.entries(loaders)) {
      for (const name of vendorNames) {
        for (const address of [...addresses, ...others[name]]) {
          for (const settings of [{ apiKey, baseUrl: address }, ...(name === 'google' ? [{ project: 'demo-jiga', baseUrl: address }] : [])]) {
            await assert.rejects(load(name, settings), configuration, `${title} ${name} ${address}`);
          }
        }
        for (const address of addresses) await assert.rejects(load(name, { apiKey, speechBaseUrl: address }), configuration, `${title} ${name} speech ${address}`);
      }
      for (const address of ['https://generativelanguage.googleapis.com', 'https://aiplatform.googleapis.com', 'https://api.openai.com']) {
        await assert.rejects(load('google', { apiKey, speechBaseUrl: address }), configuration);
      }
    }
    assert.equal(connections, 0);
  });

  it('are not repeated in the error', async () => {
    for (const address of foreignAddresses(port)) {
      await assert.rejects(loadProvider('gemini', { apiKey, baseUrl: address }), (error: Error) => error.message === 'The address of the gemini provider is not one of the vendor\'s own.');
    }
  });

  it('are on this machine only where that is allowed, and not next to it', async () => {
    const allowed: ProviderSettings = { apiKey, allowLoopback: true };
    for (const baseUrl of ['http://127.0.0.1:1', 'http://localhost:5000/', 'http://[::1]:1']) {
      for (const load of Object.values(loaders)) assert.equal((await load('gemini', { ...allowed, baseUrl })).name, 'gemini');
    }
    for (const baseUrl of ['http://127.0.0.1.evil.example', 'http://10.0.0.1', 'https://127.0.0.1', 'http://0.0.0.0', 'http://[::ffff:127.0.0.1]', 'http://127.0.0.2', 'http://user@127.0.0.1', 'http://localhost.', 'http://generativelanguage.googleapis.com', 'ftp://127.0.0.1']) {
      for (const load of Object.values(loaders)) await assert.rejects(load('gemini', { ...allowed, baseUrl }), configuration, baseUrl);
    }
  });

  it('get no other parts from a project or a location', async () => {
    for (const place of ['evil.example/', 'x#', 'x?', 'x@y', 'x\\', 'x%2f', 'x y', '../x', 'x\r\n']) {
      await assert.rejects(loadProvider('google', { project: 'demo-jiga', location: place }), configuration, place);
      await assert.rejects(loadEmbeddings('google', { project: place }), configuration, place);
    }
  });
});
