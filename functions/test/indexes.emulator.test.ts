import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { Timestamp } from 'firebase-admin/firestore';
import type { CheckpointDoc } from '../src/credits/schema.ts';
import { rememberTurn } from '../src/memory/store.ts';
import { admin, closeClients, eventually, givePlayer, read, readAll } from './harness.ts';

after(closeClients);

interface Index {
  queryScope: 'COLLECTION' | 'COLLECTION_GROUP';
  order?: string;
}
interface Indexes {
  indexes: (Index & { collectionGroup: string; fields: { fieldPath: string; order?: string; arrayConfig?: string; vectorConfig?: { dimension: number; flat: object } }[] })[];
  fieldOverrides: { collectionGroup: string; fieldPath: string; ttl?: boolean; indexes: Index[] }[];
}

const root = new URL('../../', import.meta.url);
const { indexes, fieldOverrides } = JSON.parse(readFileSync(new URL('firestore.indexes.json', root), 'utf8')) as Indexes;

/**
 * Every Firestore query of the functions: collection (`*` before the name of one that is searched everywhere), fields as
 * filtered, ordered, summed and searched for near vectors, and the index that serves it; null when Firestore has that by
 * itself, which it has for one field of one collection and for ids.
 */
const queries: Record<string, string | null> = {
  'agents: orderBy purchasedAt': null,
  '*agents: sum currentDOFs': 'currentDOFs ASCENDING',
  '*agents: where dueAt <=, orderBy dueAt': 'dueAt ASCENDING',
  '*agents: orderBy __name__': null,
  '*grants: orderBy __name__': null,
  'checkpoints: where total >, orderBy total': null,
  '*checkpoints: where ownerId ==, where lastAt >=, where firstAt <, orderBy lastAt, orderBy firstAt': 'ownerId ASCENDING, lastAt ASCENDING, firstAt ASCENDING',
  'ledger: where sessionId ==': null,
  'ledger: orderBy seq desc': null,
  'sessions: where agentInstanceId ==': null,
  'memories: where kind ==': null,
  'voiceTokens: where state ==': null,
  'memories: where embeddedWith ==, findNearest embedding': 'embeddedWith ASCENDING, embedding VECTOR 768',
  'memories: orderBy createdAt desc, orderBy __name__ desc': null,
  'memories: where sessionId ==': null,
  'turns: orderBy firstAt desc': null,
  'turns: orderBy firstAt': null,
  'media: orderBy createdAt': null,
  'media: orderBy createdAt desc, orderBy __name__ desc': null,
  'outbox: where published ==, where createdAt <=, orderBy createdAt': 'published ASCENDING, createdAt ASCENDING',
  'sessions: where memberIds array-contains, orderBy status, orderBy startedAt desc, orderBy sessionId desc': 'memberIds CONTAINS, status ASCENDING, startedAt DESCENDING, sessionId DESCENDING',
  'invites: where usedAt ==, where revokedAt ==, where expiresAt >, orderBy expiresAt': 'usedAt ASCENDING, revokedAt ASCENDING, expiresAt ASCENDING',
  'sessions: where status ==, where expiresAt <=, orderBy expiresAt': 'status ASCENDING, expiresAt ASCENDING',
  'sessions: where settlement ==, where endedAt <=, orderBy endedAt': 'settlement ASCENDING, endedAt ASCENDING',
  'sessions: where cleanupAt <=, orderBy cleanupAt': null,
};

/** The collection that an expression begins with: the last one that it names, or the one of its helper. */
function collectionIn(expression: string): string | undefined {
  const [, group, name] = /collection(Group)?\('(\w+)'\)(?!.*collection(?:Group)?\()/s.exec(expression) ?? [];
  return name === undefined ? /(\w+)Ref\(/.exec(expression)?.[1] : `${group ? '*' : ''}${name}`;
}

/** The queries as the sources spell them: one statement each, starting from a named collection or from a constant that is one. */
function queriesInSources(): string[] {
  const folder = new URL('functions/src/', root);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  return files.flatMap((file) => {
    const statements = readFileSync(new URL(file, folder), 'utf8').split(/;\n/);
    return statements.flatMap((statement, index) => {
      const steps = [...statement.matchAll(/\.(where|orderBy|sum|findNearest)\((?:'(\w+)'|FieldPath\.documentId\(\)|\{\s*vectorField: '(\w+)')(?:, ([^,:)]*)(?=[,)]))?/g)]
        .map(([, step, name, vector, operator = '']) => [step, name ?? vector ?? '__name__', operator] as const)
        .map(([step, field, operator]) => `${step} ${field} ${operator}`.replaceAll('\'', '').trim());
      if (steps.length === 0) return [];
      const [, constant] = /(\w+)\.(?:where|orderBy)\(/.exec(statement) ?? [];
      const origin = constant === undefined ? statement : statements.slice(0, index).findLast((earlier) => earlier.includes(`const ${constant} = `));
      return [`${collectionIn(origin ?? '')}: ${steps.join(', ')}`];
    });
  });
}

const fieldsOf = (query: string): string[] => [...new Set([...query.matchAll(/(?:where|orderBy|sum|findNearest) (\w+)/g)].map(([, field]) => field!))];
const mark = ({ queryScope }: Index): string => (queryScope === 'COLLECTION_GROUP' ? '*' : '');

describe('Firestore indexes', () => {
  it('serve every query of the functions that Firestore does not serve by itself, and nothing else', () => {
    assert.deepEqual(queriesInSources().sort(), Object.keys(queries).sort());
    const wanted = Object.entries(queries).flatMap(([query, fields]) => (fields === null ? [] : [`${query.split(':')[0]}: ${fields}`]));
    const composite = indexes.map((index) => `${mark(index)}${index.collectionGroup}: ${index.fields.map(({ fieldPath, order, arrayConfig, vectorConfig }) => `${fieldPath} ${order ?? arrayConfig ?? `VECTOR ${vectorConfig?.dimension}`}`).join(', ')}`);
    const single = fieldOverrides.flatMap(({ collectionGroup, fieldPath, indexes: own }) => own.map((index) => `${mark(index)}${collectionGroup}: ${fieldPath} ${index.order}`));
    assert.deepEqual([...composite, ...single].sort(), wanted.sort());
  });

  it('are needed exactly where a query combines fields or searches everywhere', () => {
    for (const [query, index] of Object.entries(queries)) {
      const fields = fieldsOf(query);
      // Every index of a field orders its ties by name, and a vector has no index of its own.
      const several = fields.filter((field) => field !== '__name__').length > 1;
      assert.equal(index !== null, several || (query.startsWith('*') && !fields.includes('__name__')), query);
      // An exemption takes the index that a field has by itself, not those that combine it with others.
      const exempt = fieldOverrides.filter(({ collectionGroup, fieldPath, indexes: own }) => query.replace('*', '').startsWith(`${collectionGroup}:`) && fields.includes(fieldPath) && !index?.includes(fieldPath) && own.length === 0);
      assert.deepEqual(exempt, [], `${query} needs a field without an index`);
    }
  });

  it('leave out what is large and never asked for', () => {
    const exempt = fieldOverrides.filter(({ ttl, indexes: own }) => ttl !== true && own.length === 0).map(({ collectionGroup, fieldPath }) => `${collectionGroup}.${fieldPath}`);
    assert.deepEqual(exempt.sort(), ['agents.holds', 'agents.lots', 'checkpoints.lines', 'memories.embedding', 'memories.text', 'operations.result', 'outbox.data', 'sessions.config', 'turns.turns']);
  });

  it('name the fields by which documents expire as the documents have them', async () => {
    const player = await givePlayer();
    const { sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
    await player.call('shareSession', { sessionId });
    await player.call('endSession', { sessionId });
    const outbox = admin().firestore.collection('outbox').where('subject', '==', sessionId);
    await eventually(async () => (await outbox.get()).size >= 4, 'the events of start, invite, end and settlement');
    const source = { uid: player.uid, agentInstanceId: player.agentInstanceId, sessionId, turnId: 'turn' };
    await rememberTurn(source, { instruction: 'Hello', reply: 'Hello' }, { provider: 'gemini', model: 'embeds' });
    const expiring = { outbox: (await outbox.get()).docs.map((event) => event.data()), memories: await readAll(`users/${player.uid}/agents/${player.agentInstanceId}/memories`), invites: await readAll(`sessions/${sessionId}/invites`) };
    const hour = 3_600_000;
    const least = { outbox: 7 * 24 * hour, memories: 7 * 24 * hour, invites: 23 * hour };
    const declared = fieldOverrides.filter(({ ttl }) => ttl).map(({ collectionGroup, fieldPath }) => [collectionGroup, fieldPath] as const);
    assert.deepEqual(declared.map(([collection]) => collection).sort(), Object.keys(expiring).sort());
    for (const [collection, field] of declared) {
      assert.ok(expiring[collection as keyof typeof expiring].length > 0, collection);
      for (const data of expiring[collection as keyof typeof expiring]) {
        const moment = data[field] as unknown;
        assert.ok(moment instanceof Timestamp, `${collection}.${field}`);
        assert.ok(moment.toMillis() > Date.now() + least[collection as keyof typeof least], `${collection}.${field} is far enough away`);
      }
    }
  });

  it('let no receipt expire', async () => {
    const player = await givePlayer();
    const { sessionId } = await player.call('startSession', { agentInstanceId: player.agentInstanceId });
    await player.call('processFrame', { sessionId, requestId: 'r1', instruction: 'Hello' });
    await player.call('endSession', { sessionId });
    const { lines, ...rest } = (await read<CheckpointDoc>(`sessions/${sessionId}/checkpoints/final`))!;
    assert.equal(lines.length, 1);
    assert.deepEqual(Object.keys(rest).sort(), ['agentInstanceId', 'createdAt', 'final', 'firstAt', 'lastAt', 'ownerId', 'sessionId', 'total']);
  });
});

describe('Realtime Database indexes', () => {
  it('serve every ordered query of the functions', () => {
    interface Rules {
      '.indexOn'?: string[];
      $sessionId?: Rules;
    }
    const { rules } = JSON.parse(readFileSync(new URL('database.rules.json', root), 'utf8').replace(/^\s*\/\/.*$/gm, '')) as { rules: Record<string, Rules> };
    const store = ['store.ts', 'store-requests.ts', 'store-turns.ts'].map((file) => readFileSync(new URL(`functions/src/live/${file}`, root), 'utf8')).join('\n');
    // Below a root, or below what a root keeps for one session.
    const ordered = [...store.matchAll(/ref\((?:'(\w+)'|`(\w+)\/\$\{sessionId\}`)\)\.orderByChild\('(\w+)'\)/g)].map(([, place, ofSession, field]) => ({ place, ofSession, field: field! }));
    assert.deepEqual(ordered.map(({ place, ofSession, field }) => `${place ?? `${ofSession}/$sessionId`}: ${field}`).sort(), ['meters: dueAt', 'requests/$sessionId: consumed', 'requests/$sessionId: saidAt']);
    for (const { place, ofSession, field } of ordered) assert.ok((place ? rules[place] : rules[ofSession!]?.$sessionId)?.['.indexOn']?.includes(field));
  });
});
