import assert from 'node:assert/strict';
import type { ListedModel, VendorName } from '../providers/types.ts';
import type { ServerConfig } from '../sessions/schema.ts';
import { configuredModels, modelFindings, nextModels, type ConfiguredModel, type ModelFinding, type ModelsDoc } from './models.ts';

const day = 24 * 60 * 60 * 1000;
const now = Date.parse('2026-11-21T12:00:00Z');
const listed = (name: string, shutdownAt: number | null = null): ListedModel => ({ name, shutdownAt });
const configured = (model: string, provider: VendorName = 'gemini'): ConfiguredModel => ({ provider, model, settings: [`config/server.modelRouting.${provider}.vision`] });

describe('configured models', () => {
  const plain = { vision: 'sees', chat: 'talks' };
  const routing = (parts: Partial<ServerConfig['modelRouting']>): ServerConfig['modelRouting'] => ({ gemini: plain, google: plain, openai: plain, ...parts });
  const ofGemini = (models: ConfiguredModel[]) => models.filter(({ provider }) => provider === 'gemini').map(({ model, settings }) => [model, ...settings]);

  it('are all that a vendor is asked for, each with its setting', () => {
    const gemini = { vision: 'a', chat: 'b', embedding: 'c', tts: 'd', live: 'e', models: ['f', 'g'] };
    assert.deepEqual(ofGemini(configuredModels(routing({ gemini }))), [
      ['a', 'config/server.modelRouting.gemini.vision'],
      ['b', 'config/server.modelRouting.gemini.chat'],
      ['c', 'config/server.modelRouting.gemini.embedding'],
      ['e', 'config/server.modelRouting.gemini.live'],
      ['d', 'config/server.modelRouting.gemini.tts'],
      ['f', 'config/server.modelRouting.gemini.models[0]'],
      ['g', 'config/server.modelRouting.gemini.models[1]'],
    ]);
  });

  it('belong to the vendor that a fallback names', () => {
    const speaks = { ...plain, ttsFallbacks: [{ provider: 'google' as const, model: 'en-US-Wavenet-C', voice: 'en-US-Wavenet-C' }, { provider: 'gemini' as const, model: 'z', voice: 'Puck' }] };
    assert.deepEqual(ofGemini(configuredModels(routing({ openai: speaks }))).at(-1), ['z', 'config/server.modelRouting.openai.ttsFallbacks[1]']);
    const openai = { ...plain, fallbacks: [{ provider: 'google' as const, model: 'x' }, { provider: 'gemini' as const, model: 'y' }] };
    assert.deepEqual(ofGemini(configuredModels(routing({ openai }))).at(-1), ['y', 'config/server.modelRouting.openai.fallbacks[1]']);
  });

  it('are named once, with every setting', () => {
    const gemini = { vision: 'a', chat: 'a', models: ['a'] };
    assert.deepEqual(ofGemini(configuredModels(routing({ gemini }))), [
      ['a', 'config/server.modelRouting.gemini.vision', 'config/server.modelRouting.gemini.chat', 'config/server.modelRouting.gemini.models[0]'],
    ]);
  });

  it('are no voices of Google', () => {
    const names = configuredModels(routing({ google: { ...plain, tts: 'en-US-Wavenet-C' }, openai: { ...plain, tts: 'tts-1' } })).map(({ model }) => model);
    assert.deepEqual([names.includes('en-US-Wavenet-C'), names.includes('tts-1')], [false, true]);
  });
});

describe('findings about models', () => {
  const find = (model: ConfiguredModel, list: ListedModel[]) => modelFindings([model], { [model.provider]: list }, now).map(({ kind, shutdownAt, daysLeft }) => [kind, shutdownAt, daysLeft]);
  const other = listed('other');

  const names: { ours: string; theirs: string; found: boolean }[] = [
    { ours: 'm', theirs: 'm', found: true },
    { ours: 'm', theirs: 'models/m', found: true },
    { ours: 'models/m', theirs: 'm', found: true },
    { ours: 'm', theirs: 'publishers/google/models/m', found: true },
    { ours: 'projects/p/locations/l/publishers/google/models/m', theirs: 'publishers/google/models/m', found: true },
    { ours: 'm@001', theirs: 'publishers/google/models/m', found: true },
    { ours: 'm', theirs: 'm-001', found: false },
    { ours: 'm-001', theirs: 'm', found: false },
    { ours: 'm', theirs: 'tunedModels/m', found: false },
    { ours: 'm', theirs: 'M', found: false },
  ];
  for (const { ours, theirs, found } of names) {
    it(`${found ? 'take' : 'do not take'} the listed ${theirs} for ${ours}`, () => {
      assert.deepEqual(find(configured(ours), [other, listed(theirs)]), found ? [] : [['missing', null, null]]);
    });
  }

  const days: { left: number; kind: string | null; says?: number }[] = [
    { left: 61, kind: null },
    { left: 60.01, kind: null },
    { left: 60, kind: 'retiring' },
    { left: 59.5, kind: 'retiring', says: 60 },
    { left: 0.5, kind: 'retiring', says: 1 },
    { left: 0, kind: 'retired' },
    { left: -0.5, kind: 'retired', says: 0 },
    { left: -10, kind: 'retired' },
  ];
  for (const { left, kind, says = left } of days) {
    it(`call a model that is shut down in ${left} days ${kind ?? 'well'}`, () => {
      const shutdownAt = now + left * day;
      const wanted = kind === null ? [] : [[kind, shutdownAt, says]];
      assert.deepEqual(find(configured('m'), [listed('m', shutdownAt)]), wanted);
    });
  }

  it('know a documented day when the vendor names none, and believe the vendor when it does', () => {
    const tts = configured('tts-1', 'openai');
    assert.deepEqual(find(tts, [listed('tts-1')]), [['retiring', Date.parse('2027-01-06'), 46]]);
    assert.deepEqual(find(tts, [listed('tts-1', now + 90 * day)]), []);
    assert.deepEqual(find(configured('models/gemini-2.0-flash'), [other]), [['retired', Date.parse('2026-06-01'), -173]]);
  });

  it('tell of a missing model that would have retired soon both', () => {
    assert.deepEqual(find(configured('gemini-2.5-flash'), [other]).map(([kind]) => kind), ['missing', 'retiring']);
  });

  it('are none of a vendor that lists nothing or was not asked', () => {
    assert.deepEqual(find(configured('m'), []), []);
    assert.deepEqual(modelFindings([configured('gemini-2.0-flash')], { openai: [other] }, now), []);
  });
});

describe('what operators are told about models', () => {
  const shutdownAt = now + 60 * day;
  const retiring = (daysLeft: number, parts: Partial<ModelFinding> = {}): ModelFinding => ({ ...configured('m'), kind: 'retiring', shutdownAt, daysLeft, ...parts });
  const missing: ModelFinding = { ...configured('m'), kind: 'missing', shutdownAt: null, daysLeft: null };

  /** Checks in turn; the numbers of findings that each told of. */
  function told(...checks: { findings: ModelFinding[]; checked?: VendorName[] }[]): number[] {
    let before: ModelsDoc | null = null;
    return checks.map(({ findings, checked = ['gemini'] }) => {
      const { models, alerts } = nextModels(before, findings, checked, now);
      before = models;
      return alerts.length;
    });
  }

  it('is each finding once, and again at 14 and at 3 days', () => {
    const left = [60, 59, 15, 14, 13, 4, 3, 2, 1];
    assert.deepEqual(told(...left.map((days) => ({ findings: [retiring(days)] }))), [1, 0, 0, 1, 0, 0, 1, 0, 0]);
  });

  it('is another kind, another day, another model and another vendor', () => {
    const once = { findings: [retiring(50)] };
    for (const changed of [missing, retiring(-1, { kind: 'retired' }), retiring(50, { shutdownAt: shutdownAt + day }), retiring(50, { model: 'n' }), retiring(50, { provider: 'openai' })]) {
      assert.deepEqual(told(once, { findings: [changed] }, { findings: [changed], checked: ['gemini', 'openai'] }), [1, 1, 0]);
    }
  });

  it('is told again only after it was gone, and not because its vendor did not answer', () => {
    const [seen, gone, unknown] = [{ findings: [missing] }, { findings: [] }, { findings: [], checked: ['openai' as const] }];
    assert.deepEqual(told(seen, unknown, seen, gone, seen), [1, 0, 0, 0, 1]);
  });

  it('is numbered and readable in the document', () => {
    const { models } = nextModels({ told: ['openai/x missing unknown'], alerts: 4, checkedAt: 1 }, [missing, retiring(10)], ['gemini'], now);
    assert.deepEqual(models, { told: ['openai/x missing unknown', 'gemini/m missing unknown', 'gemini/m retiring 2027-01-20 14'], alerts: 6, checkedAt: now });
  });
});
