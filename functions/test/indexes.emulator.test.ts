import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { Timestamp } from 'firebase-admin/firestore';
import { admin, closeClients, eventually, givePlayer, read } from './harness.ts';

after(closeClients);

interface Indexes {
  indexes: { collectionGroup: string; queryScope: string; fields: { fieldPath: string; order: string }[] }[];
  fieldOverrides: { collectionGroup: string; fieldPath: string; ttl?: boolean; indexes: unknown[] }[];
}

const root = new URL('../../', import.meta.url);
const { indexes, fieldOverrides } = JSON.parse(readFileSync(new URL('firestore.indexes.json', root), 'utf8')) as Indexes;

/** Every Firestore query of the functions: file, fields as filtered and ordered, and the index that serves it when one field is not enough. */
const queries: Record<string, string | null> = {
  'agents: orderBy purchasedAt': null,
  'grants: where remaining >': null,
  'outbox: where published ==, where createdAt <=, orderBy createdAt': 'published ASCENDING, createdAt ASCENDING',
  'sessions: where ownerId ==, orderBy startedAt desc, orderBy sessionId desc': 'ownerId ASCENDING, startedAt DESCENDING, sessionId DESCENDING',
  'sessions: where status ==, where expiresAt <=, orderBy expiresAt': 'status ASCENDING, expiresAt ASCENDING',
  'sessions: where settlement ==, where endedAt <=, orderBy endedAt': 'settlement ASCENDING, endedAt ASCENDING',
  'sessions: where cleanupAt <=, orderBy cleanupAt': null,
};

/** The queries as the sources spell them: one statement each, starting from a named collection. */
function queriesInSources(): string[] {
  const folder = new URL('functions/src/', root);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const statements = files.flatMap((file) => readFileSync(new URL(file, folder), 'utf8').split(/;\n/));
  return statements.flatMap((statement) => {
    const steps = [...statement.matchAll(/\.(where|orderBy)\(([^,)]*)(?:, ([^,)]*))?/g)].map(([, step, field, operator = '']) => `${step} ${field} ${operator}`.replaceAll('\'', '').trim());
    const collection = /collection\('(\w+)'\)(?!.*collection\()|(\w+)sRef\(/s.exec(statement);
    return steps.length === 0 ? [] : [`${collection?.[1] ?? `${collection?.[2]}s`}: ${steps.join(', ')}`];
  });
}

describe('Firestore indexes', () => {
  it('serve every query of the functions that one field cannot, and nothing else', () => {
    assert.deepEqual(queriesInSources().sort(), Object.keys(queries).sort());
    const wanted = Object.entries(queries).flatMap(([query, fields]) => (fields === null ? [] : [`${query.split(':')[0]}: ${fields}`]));
    const declared = indexes.map(({ collectionGroup, fields }) => `${collectionGroup}: ${fields.map(({ fieldPath, order }) => `${fieldPath} ${order}`).join(', ')}`);
    assert.deepEqual(declared.sort(), wanted.sort());
    assert.ok(indexes.every(({ queryScope }) => queryScope === 'COLLECTION'));
  });

  it('are needed exactly where a query combines fields', () => {
    for (const [query, index] of Object.entries(queries)) {
      const fields = new Set([...query.matchAll(/(?:where|orderBy) (\w+)/g)].map(([, field]) => field));
      assert.equal(index !== null, fields.size > 1, query);
      for (const field of fields) assert.ok(!fieldOverrides.some(({ collectionGroup, fieldPath }) => query.startsWith(`${collectionGroup}:`) && fieldPath === field), `${query} needs a field without an index`);
    }
  });

  it('name the fields by which documents expire as the documents have them', async () => {
    const player = await givePlayer();
    const { sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
    await player.call('endSession', { sessionId });
    const outbox = admin().firestore.collection('outbox').where('subject', '==', sessionId);
    await eventually(async () => (await outbox.get()).size >= 3, 'the events of start, end and settlement');
    const expiring = {
      outbox: (await outbox.get()).docs.map((event) => event.data()),
      checkpoints: [await read(`sessions/${sessionId}/checkpoints/final`)],
    };
    const declared = fieldOverrides.filter(({ ttl }) => ttl).map(({ collectionGroup, fieldPath }) => [collectionGroup, fieldPath] as const);
    assert.deepEqual(declared.map(([collection]) => collection).sort(), Object.keys(expiring).sort());
    for (const [collection, field] of declared) {
      for (const data of expiring[collection as keyof typeof expiring]) {
        const moment = data?.[field] as unknown;
        assert.ok(moment instanceof Timestamp, `${collection}.${field}`);
        assert.ok(moment.toMillis() > Date.now() + 7 * 24 * 3_600_000, `${collection}.${field} is far enough away`);
      }
    }
  });
});

describe('Realtime Database indexes', () => {
  it('serve every ordered query of the functions', () => {
    const { rules } = JSON.parse(readFileSync(new URL('database.rules.json', root), 'utf8').replace(/^\s*\/\/.*$/gm, '')) as { rules: Record<string, { '.indexOn'?: string[] }> };
    const store = readFileSync(new URL('functions/src/live/store.ts', root), 'utf8');
    const ordered = [...store.matchAll(/ref\('(\w+)'\)\.orderByChild\('(\w+)'\)/g)].map(([, place, field]) => [place, field]);
    assert.deepEqual(ordered, [['meters', 'dueAt']]);
    for (const [place, field] of ordered) assert.ok(rules[place!]?.['.indexOn']?.includes(field!));
  });
});
