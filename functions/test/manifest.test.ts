import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { operations } from '../src/operations.ts';
import { currentManifest, differences, formatManifest, reviewedFile, type Manifest } from './manifest.ts';

describe('what is deployed', () => {
  const text = readFileSync(reviewedFile, 'utf8');
  const reviewed = JSON.parse(text) as Manifest;
  let current: Manifest;
  before(async function () {
    this.timeout(60_000);
    current = await currentManifest();
  });

  it('is what was reviewed', () => {
    const found = differences(reviewed, current);
    assert.deepEqual(found, [], `${found.join('\n')}\nIf this is meant, run "npm run manifest" and have the change of functions/test/manifest.json reviewed.`);
    assert.equal(text, formatManifest(current), 'npm run manifest writes the file anew');
  });

  it('has every operation, with who may call it', () => {
    for (const [name, { access }] of Object.entries(operations)) assert.deepEqual([reviewed.functions[name]?.['trigger'], reviewed.functions[name]?.['access']], ['callable', access], name);
  });

  it('gives keys of vendors to no function but those that ask them', () => {
    const withKeys = Object.entries(current.functions).filter(([, { secrets }]) => (secrets as string[]).length > 0).map(([name]) => name);
    assert.deepEqual(withKeys, ['api', 'checkModels', 'embedMemory', 'mintVoiceToken', 'processFrame']);
  });

  it('bounds what a flood can cost, but for the one trigger of the first generation', () => {
    const unbounded = Object.entries(current.functions).filter(([, { maxInstances }]) => typeof maxInstances !== 'number').map(([name]) => name);
    assert.deepEqual(unbounded, ['createUserDocument']);
  });

  it('uses up the App Check token of a start, of an invite and its use, and of what adds DOFs', () => {
    const once = Object.entries(current.functions).filter(([, { appCheck }]) => appCheck === 'by parameter, token used up').map(([name]) => name);
    assert.deepEqual(once, ['adjustBalance', 'grantDofs', 'joinSession', 'shareSession', 'startSession']);
  });
});

describe('a change of what is deployed', () => {
  const row = { trigger: 'callable', timeoutSeconds: 60 };
  const manifest: Manifest = { functions: { getMe: row }, parameters: { APP_CHECK: { default: 'off' } } };

  it('is told field by field', () => {
    assert.deepEqual(differences(manifest, manifest), []);
    const changed: Manifest = { functions: { getMe: { ...row, timeoutSeconds: 540 }, getAll: { trigger: 'https' } }, parameters: {} };
    assert.deepEqual(differences(manifest, changed), ['APP_CHECK.default: reviewed "off", now nothing', 'getAll.trigger: reviewed nothing, now "https"', 'getMe.timeoutSeconds: reviewed 60, now 540']);
  });

  it('is a change of its line in the file', () => {
    assert.equal(formatManifest(manifest), '{\n  "functions": {\n    "getMe": {"trigger": "callable", "timeoutSeconds": 60}\n  },\n  "parameters": {\n    "APP_CHECK": {"default": "off"}\n  }\n}\n');
    assert.deepEqual(JSON.parse(formatManifest(manifest)), manifest);
  });
});
