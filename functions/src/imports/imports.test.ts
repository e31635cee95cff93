import assert from 'node:assert/strict';
import { at, moment } from '../../test/money.ts';
import { stageOf } from '../audit/facts.ts';
import type { TurnDoc } from '../history/schema.ts';
import { serverConfigSchema, sessionConfigSchema, type SessionDoc } from '../sessions/schema.ts';
import { toSessionView } from '../sessions/views.ts';
import { digestOf, importedConfig, inCommits, judgeImport, toSessionDoc } from './imports.ts';
import type { ImportDoc, ImportedSession } from './schema.ts';

const model = { vision: 'm', chat: 'm' };
const config = importedConfig(serverConfigSchema.parse({ endpoints: { apiBaseUrl: '', liveDatabaseUrl: '' }, modelRouting: { gemini: model, google: model, openai: model } }));
const turn = (index: number, parts: Partial<TurnDoc> = {}): TurnDoc => ({ turnId: `t${index}`, by: 'u1', at: moment + index, said: 'Hello', reply: 'Hi', outcome: 'complete', costDOFs: 0, ...parts });
const imported: ImportedSession = {
  sessionId: 'campaign_1', ownerId: 'u1', playerIds: ['u2', 'u3'], name: 'The Lost Mine', startedAt: moment, endedAt: moment + 5, turns: [turn(1)],
  media: [{ file: 'f.png', type: 'images', mimeType: 'image/png', bytes: 3, turnId: 't1', by: 'u1', createdAt: moment }],
};
const document = toSessionDoc(imported, config, { startedAt: at(moment), endedAt: at(moment + 5), version: 1 });

describe('an imported session', () => {
  it('has ended, cost nothing and belongs to no agent', () => {
    const { config: _config, ...rest } = document;
    assert.deepEqual(rest, {
      sessionId: 'campaign_1', ownerId: 'u1', name: 'The Lost Mine', members: { u1: 'owner', u2: 'player', u3: 'player' }, memberIds: ['u1', 'u2', 'u3'], memberCaps: {}, removedAt: {},
      agentInstanceId: 'imported', agentProductId: 'imported', priceVersion: 1, settleEveryDOFs: 1_000, status: 'ended', closeReason: 'user', startingDOFs: 0, consumedDOFs: 0, settledDOFs: 0, heldDOFs: 0,
      gameContext: null, startedAt: at(moment), expiresAt: at(moment + 5), endedAt: at(moment + 5), generation: 1, version: 1, settlement: 'done', cleanupAt: null, deletedAt: null,
    });
    assert.equal(stageOf(document), 'done');
  });

  it('has a config like any other, without an ability and without a price', () => {
    assert.deepEqual(sessionConfigSchema.parse(config), config);
    assert.deepEqual([config.toolkit, config.keptMedia, config.voiceEnabled, config.hasMemory], [[], ['images', 'audio'], false, false]);
    const { frame, per1kTokens, ...others } = config.dofRates;
    assert.deepEqual(new Set([frame, per1kTokens, others].flatMap((rates) => Object.values(rates))), new Set([0]));
  });

  it('is shown to its owner and to its members', () => {
    assert.deepEqual([toSessionView(document, 'u1').role, toSessionView(document, 'u1').consumedDOFs], ['owner', 0]);
    assert.deepEqual([toSessionView(document, 'u3').role, toSessionView(document, 'u3').consumedDOFs], ['player', null]);
  });

  it('has another digest when anything of it is other', () => {
    const others: Partial<ImportedSession>[] = [
      { sessionId: 'x' }, { ownerId: 'u2' }, { playerIds: ['u2'] }, { name: null }, { startedAt: 1 }, { endedAt: 1 }, { turns: [] }, { media: [] },
      ...(['turnId', 'by', 'said', 'reply'] as const).map((field) => ({ turns: [turn(1, { [field]: 'x' })] })), { turns: [turn(1, { at: 1 })] },
      ...(['file', 'type', 'mimeType', 'turnId', 'by'] as const).map((field) => ({ media: [{ ...imported.media[0]!, [field]: 'audio' }] })), { media: [{ ...imported.media[0]!, createdAt: 1 }] },
    ];
    const digests = [{}, ...others].map((parts) => digestOf({ ...imported, ...parts }));
    assert.equal(new Set(digests).size, digests.length);
    assert.equal(digestOf(structuredClone(imported)), digests[0]);
  });
});

describe('an import', () => {
  const known: ImportDoc = { digest: 'd', version: 1, importedAt: at(moment) };
  const changed: SessionDoc = { ...document, version: 2 };

  it('is stored where nothing is, and left alone where the same is already', () => {
    assert.equal(judgeImport(null, null, 'd'), 'create');
    assert.equal(judgeImport(document, known, 'd'), 'unchanged');
    assert.equal(judgeImport(changed, known, 'd'), 'unchanged');
  });

  it('replaces what has changed there only while nobody has changed it here', () => {
    assert.equal(judgeImport(document, known, 'other'), 'replace');
    assert.equal(judgeImport(changed, known, 'other'), 'differs');
  });

  it('never takes the place of a session that was played here, nor brings one back that was deleted', () => {
    assert.equal(judgeImport(document, null, 'd'), 'taken');
    for (const digest of ['d', 'other']) assert.equal(judgeImport({ ...document, deletedAt: at(moment) }, known, digest), 'deleted');
    assert.equal(judgeImport({ ...document, deletedAt: at(moment) }, null, 'd'), 'deleted');
  });
});

describe('the contents of an imported session', () => {
  it('are stored in as many commits as they need', () => {
    const pages = Array.from({ length: 30 }, (_, index) => ({ index, data: { text: 'x'.repeat(900_000) } }));
    assert.deepEqual(inCommits(pages).map((group) => group.length), [8, 8, 8, 6]);
    const small = Array.from({ length: 900 }, (_, index) => ({ index, data: {} }));
    assert.deepEqual(inCommits(small).map((group) => group.length), [400, 400, 100]);
    assert.deepEqual(inCommits(small).flat(), small);
    assert.deepEqual(inCommits([]), [[]]);
  });
});
