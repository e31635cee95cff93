import assert from 'node:assert/strict';
import { legacyHistorySchema, legacyMetadataSchema, legacyRegistrySchema, type LegacyMessage } from '../../functions/src/imports/legacy-schema.ts';
import { findAccounts } from './accounts.ts';
import { directory } from './fixtures.ts';
import { layOut, parseFolderName } from './layout.ts';
import { readMessages, textOf } from './messages.ts';
import { earliestOf, latestOf, toMillis } from './moments.ts';
import { membersOf, ownerOf } from './people.ts';
import { toName } from './session.ts';
import { sessionIdOf } from './units.ts';

describe('legacy moments', () => {
  const noon = Date.UTC(2025, 9, 1, 12);

  it('are read with and without a zone, as text and as numbers', () => {
    for (const text of ['2025-10-01T12:00:00', '2025-10-01T12:00:00Z', '2025-10-01 12:00', '2025-10-01T14:00:00+02:00', '2025-10-01T07:00:00.000-0500', noon / 1000, noon, String(noon), ` ${noon / 1000} `, '2025-10-01T12:00:00.000000+00:00']) {
      assert.equal(toMillis(text), noon, String(text));
    }
    assert.equal(toMillis('2025-10-01T12:00:00.123456'), noon + 123);
    assert.equal(toMillis('2025-10-01'), noon - 12 * 3_600_000);
    assert.equal(toMillis(1_759_320_000.5), noon + 500);
  });

  it('are none when nothing was played then', () => {
    for (const value of [null, undefined, '', 'yesterday', '2025-13-45T99:00', 0, -5, Number.NaN, Infinity, 1e20, '1970-01-01', '2999-01-01', noon * 1000]) assert.equal(toMillis(value), null, String(value));
  });

  it('have an earliest and a latest', () => {
    assert.deepEqual([earliestOf(noon, 'x', noon - 1), latestOf(noon, null, noon - 1), earliestOf('x'), latestOf()], [noon - 1, noon, null, null]);
  });
});

describe('legacy messages', () => {
  const read = (...messages: Partial<LegacyMessage>[]) => readMessages(legacyHistorySchema.parse(messages.map((message) => ({ role: 'user', content: 'x', ...message }))));

  it('are of users and of the agent, whatever they were called', () => {
    const { said, dropped } = read(...['user', 'Player', 'human', 'assistant', 'DM', 'narrator'].map((role) => ({ role })));
    assert.deepEqual(said.map(({ from }) => from), ['user', 'user', 'user', 'agent', 'agent', 'agent']);
    assert.deepEqual(dropped, []);
  });

  it('are left out with a reason where nobody said them to all', () => {
    const { said, dropped } = read({ role: 'system' }, { role: 'system' }, { role: 'tool' }, { role: 'goblin' }, { response_type: 'private' }, { content: '  ' }, { content: null }, { content: { hp: 7 } }, { message_id: 'm' }, { message_id: 'm' });
    assert.equal(said.length, 1);
    assert.deepEqual(dropped, ['2 messages of the system', '1 message of the tool', '1 message of the unknown role "goblin"', '1 message for one player alone', '3 messages without text', '1 message already read']);
  });

  it('may share an id: what was asked and its reply, a reply and its pieces', () => {
    const { said } = read({ message_id: 'm' }, { role: 'assistant', message_id: 'm', response_type: 'streaming' }, { role: 'assistant', message_id: 'm', response_type: 'final' });
    assert.deepEqual(said.map(({ from, partial }) => [from, partial]), [['user', false], ['agent', true], ['agent', false]]);
  });

  it('have the text that players saw', () => {
    const texts: [unknown, string][] = [
      [' plain ', 'plain'], [{ narrative: 'A hall.', answer: 'A hall.' }, 'A hall.'], [{ answer: 'Yes.', narrative: 'A hall.' }, 'A hall.\n\nYes.'], [{ narrative: 'A hall. You go on.', answer: 'You go on.' }, 'A hall. You go on.'],
      [{ narrative: '', answer: 'Yes.' }, 'Yes.'], [{ combined_prompt: 'I go' }, 'I go'], [[{ type: 'text', text: 'a' }, { type: 'image' }, 'b'], 'a\n\nb'], [{ answer: { text: 'deep' } }, 'deep'],
      [{ turn: 'Your turn' }, ''], [7, ''], [null, ''], ['\ud800', '\ufffd'],
    ];
    for (const [content, text] of texts) assert.equal(textOf(content), text, JSON.stringify(content));
  });

  it('stand in a list, or in an object around it', () => {
    assert.equal(legacyHistorySchema.parse({ messages: [{ role: 'user', content: 'x' }], more: 1 }).length, 1);
    for (const value of [{}, null, 'x', [[]], [{ content: 'x' }], [{ role: 7 }], { messages: {} }, [{ role: 'user', content: 7 }], [{ role: 'user', timestamp: {} }]]) assert.ok(!legacyHistorySchema.safeParse(value).success, JSON.stringify(value));
  });
});

describe('legacy files', () => {
  it('are each one thing', () => {
    const files = [
      'metadata.json', 'logs/chat_history.json', 'logs/chat_history.backup.json', 'chat_history.json', 'conversation_2.json', 'data/campaign_data.json', 'data/scenes/one.json', 'image_metadata/a.json', 'image_metadata/gone.json',
      'media/images/a.png', 'media/images/scenes/b.png', 'media/images/scenes/b.png.json', 'media/audio/c.mp3', 'media/audio/metadata/c.json', 'media/video/d.mp4', 'notes.txt',
    ];
    assert.deepEqual(layOut(files), {
      metadata: 'metadata.json', history: ['logs/chat_history.json'],
      media: [
        { file: 'media/images/a.png', type: 'images', sidecar: 'image_metadata/a.json' }, { file: 'media/images/scenes/b.png', type: 'images', sidecar: 'media/images/scenes/b.png.json' },
        { file: 'media/audio/c.mp3', type: 'audio', sidecar: 'media/audio/metadata/c.json' },
      ],
      skipped: [
        { file: 'logs/chat_history.backup.json', reason: 'a backup' }, { file: 'chat_history.json', reason: 'the conversation is in logs/chat_history.json' },
        { file: 'conversation_2.json', reason: 'the conversation is in logs/chat_history.json' }, { file: 'data/campaign_data.json', reason: 'data of the game: only what was said is imported' },
        { file: 'data/scenes/one.json', reason: 'a scene: only what was said is imported' }, { file: 'image_metadata/gone.json', reason: 'describes media that are not here' },
        { file: 'media/video/d.mp4', reason: 'not recognised' }, { file: 'notes.txt', reason: 'not recognised' },
      ],
    });
  });

  it('have the conversation under one of many names, or in parts by their numbers', () => {
    for (const name of ['logs/chat_history.json', 'chat_history.json', 'conversation_history.json', 'campaign_history.json', 'logs/history.json', 'messages.json']) assert.deepEqual(layOut([name]).history, [name]);
    assert.deepEqual(layOut(['conversation_10.json', 'conversation_2.json', 'logs/chat_history/s_1.json', 'conversation_1.bak']).history, ['conversation_2.json', 'conversation_10.json', 'logs/chat_history/s_1.json']);
  });

  it('lie in folders whose names may have a name', () => {
    assert.deepEqual(parseFolderName('campaign_2 - The Lost - Mine'), { legacyId: 'campaign_2', name: 'The Lost - Mine' });
    assert.deepEqual(parseFolderName('b5e0-11'), { legacyId: 'b5e0-11', name: null });
  });

  it('give a session the id it had, or one that follows from it', () => {
    assert.equal(sessionIdOf('campaign_1'), 'campaign_1');
    const others = ['..', 'a b', 'x'.repeat(65), '__proto__', 'hasOwnProperty', 'Höhle', 'a.b'].map(sessionIdOf);
    for (const id of others) assert.match(id, /^legacy-[\w-]{32}$/);
    assert.equal(new Set(others).size, others.length);
    assert.equal(sessionIdOf('..'), others[0]);
  });

  it('give it a name as players may', () => {
    assert.equal(toName([null, '  ', 'The\nLost\u0000Mine ', 'Other']), 'The Lost Mine');
    assert.equal(toName([`${'x'.repeat(59)}😀`]), 'x'.repeat(59));
    assert.equal(toName([undefined, '\u0007']), null);
  });
});

describe('legacy people', () => {
  const metadata = (value: object) => legacyMetadataSchema.parse(value);

  it('own a session by the registry first, then by its metadata', () => {
    const registry = metadata({ owner_user_id: 'auth0|1', owner_email: ' Ann@JIGA.example ' });
    assert.deepEqual(ownerOf([registry, metadata({ owner: 'bob' })]), { id: 'auth0|1', email: 'ann@jiga.example' });
    assert.deepEqual(ownerOf([metadata({ members: ['x'] }), metadata({ owner: { user_id: 'bob', email: null } })]), { id: 'bob', email: null });
    assert.deepEqual(ownerOf([metadata({ owner: 'bob@jiga.example' })]), { id: null, email: 'bob@jiga.example' });
    assert.equal(ownerOf([metadata({ owner: '  ' })]), null);
  });

  it('are members by id, by address or by both', () => {
    assert.deepEqual(membersOf([metadata({ member_user_ids: ['a'], member_emails: ['B@x'] }), metadata({ members: ['c', { id: 'd', email: 'd@x' }, ''] })]), [
      { id: 'a', email: null }, { id: null, email: 'b@x' }, { id: 'c', email: null }, { id: 'd', email: 'd@x' },
    ]);
  });

  it('are in a registry by id or in a list', () => {
    const one = { owner_email: 'a@x' };
    for (const registry of [{ sessions: { s1: one }, invite_tokens: { t: {} } }, { s1: one, invite_tokens: {} }, { sessions: [{ ...one, session_id: 's1' }] }, [{ ...one, campaign_id: 's1' }]]) {
      assert.deepEqual(legacyRegistrySchema.parse(registry).map(([id, { owner_email }]) => [id, owner_email]), [['s1', 'a@x']], JSON.stringify(registry));
    }
    for (const registry of ['x', null, { sessions: 7 }, { s1: 7 }, [one], { s1: { owner_email: 7 } }]) assert.ok(!legacyRegistrySchema.safeParse(registry).success, JSON.stringify(registry));
  });

  it('have the account that the list names, else the one with their verified address, else the one with their id', async () => {
    const accounts = findAccounts(new Map([['auth0|1', 'u1'], ['bob@x', 'u2'], ['gone', 'u9']]), directory({ u1: 'ann@x', u2: null, u3: 'cy@x' }));
    const found = (id: string | null, email: string | null) => accounts({ id, email });
    assert.equal(await found('auth0|1', 'cy@x'), 'u1');
    assert.equal(await found(null, 'bob@x'), 'u2');
    assert.equal(await found('auth0|7', 'cy@x'), 'u3');
    assert.equal(await found('u2', 'nobody@x'), 'u2');
    assert.equal(await found('auth0|7', null), null);
    assert.equal(await found('gone', 'cy@x'), null, 'an account that the list names is meant, and is not there');
  });

  it('have no account by an address that nobody has verified', async () => {
    const accounts = findAccounts(new Map(), { byId: () => Promise.resolve(null), byEmail: () => Promise.resolve({ uid: 'thief', emailVerified: false }) });
    assert.equal(await accounts({ id: null, email: 'ann@x' }), null);
  });

  it('are looked up once, and never by what cannot be the id of an account', async () => {
    const asked: string[] = [];
    const accounts = findAccounts(new Map(), { byId: (id) => (asked.push(id), Promise.resolve(null)), byEmail: (email) => (asked.push(email), Promise.resolve(null)) });
    for (let time = 0; time < 3; time++) for (const id of ['u1', 'auth0|1', '__proto__', '../x']) await accounts({ id, email: 'a@x' });
    assert.deepEqual(asked, ['a@x', 'u1']);
  });
});
