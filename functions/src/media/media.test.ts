import assert from 'node:assert/strict';
import { at, moment } from '../../test/money.ts';
import { AppError } from '../runtime/errors.ts';
import type { SessionDoc } from '../sessions/schema.ts';
import { nameOf, parseCursor, pathOf, requireMedia, toCursor, toMediaView, worthKeeping } from './media.ts';
import { fileSchema, type MediaDoc } from './schema.ts';

const frame = { mime: 'image/jpeg', bytes: Buffer.from('frame') };
const sound = { mime: 'audio/wav', bytes: Buffer.from('sound') };
const doc: MediaDoc = { file: 't1.jpg', type: 'images', mimeType: 'image/jpeg', bytes: 5, turnId: 't1', by: 'u2', createdAt: at(moment) };
const refused = (error: unknown): boolean => error instanceof AppError && error.code === 'not-found' && error.message === 'You have no session with such a file.' && error.details?.reason === 'not_found';

describe('media: what is kept', () => {
  it('is what the product says, and nothing unless it does', () => {
    assert.deepEqual(worthKeeping({ keptMedia: ['images', 'audio'] }, [frame, sound]), [frame, sound]);
    assert.deepEqual(worthKeeping({ keptMedia: ['images'] }, [frame, sound]), [frame]);
    assert.deepEqual(worthKeeping({ keptMedia: ['audio'] }, [frame, sound]), [sound]);
    assert.deepEqual(worthKeeping({ keptMedia: [] }, [frame, sound]), []);
    assert.deepEqual(worthKeeping({}, [frame, sound]), []);
  });

  it('is what there is, of a type that is known', () => {
    assert.deepEqual(worthKeeping({ keptMedia: ['images', 'audio'] }, [undefined, null, { ...frame, mime: 'image/gif' }, { ...frame, mime: 'constructor' }]), []);
  });

  it('is named after its turn and its type', () => {
    const names = ['image/jpeg', 'image/png', 'image/webp', 'audio/mpeg', 'audio/wav'].map((mime) => pathOf('s1', nameOf('t_-1', mime)));
    assert.deepEqual(names, ['sessions/s1/images/t_-1.jpg', 'sessions/s1/images/t_-1.png', 'sessions/s1/images/t_-1.webp', 'sessions/s1/audio/t_-1.mp3', 'sessions/s1/audio/t_-1.wav']);
    for (const path of names) assert.ok(fileSchema.safeParse(path.split('/').at(-1)).success);
  });
});

describe('media: the name of a file', () => {
  it('has one dot, a known end and no separator of any system', () => {
    for (const good of ['t1.jpg', '-_.mp3', `${'x'.repeat(64)}.webp`]) assert.ok(fileSchema.safeParse(good).success, good);
    const bad = ['', '.jpg', 't1', 't1.gif', 't1.JPG', 't1.jpg ', 't1.jpg\n', 't1.jpg\0', 't1\0.jpg', 't1.svg.jpg', '../t1.jpg', '..%2ft1.jpg', '%2e%2e%2ft1.jpg', '..\\t1.jpg', '/etc/t1.jpg', 'a/t1.jpg', 'C:t1.jpg', `${'x'.repeat(65)}.jpg`, 'ä.jpg', null, 7, ['t1.jpg']];
    for (const name of bad) assert.ok(!fileSchema.safeParse(name).success, String(name));
  });
});

describe('media: a file', () => {
  const session = { members: { u1: 'owner', u2: 'player', u3: 'spectator' } } as unknown as SessionDoc;

  it('is for every member of its session', () => {
    for (const uid of ['u1', 'u2', 'u3']) assert.equal(requireMedia(session, doc, uid, 'images'), doc);
  });

  it('is not there for anybody else, under another type, without its session or without a document: one answer for all', () => {
    for (const act of [
      () => requireMedia(session, doc, 'u4', 'images'), () => requireMedia(session, doc, 'constructor', 'images'), () => requireMedia(session, doc, 'u1', 'audio'),
      () => requireMedia(undefined, doc, 'u1', 'images'), () => requireMedia(session, undefined, 'u1', 'images'), () => requireMedia(undefined, undefined, 'u1', 'images'),
    ]) assert.throws(act, refused);
  });

  it('is shown with who took the turn and without an address', () => {
    assert.deepEqual(toMediaView(doc), { file: 't1.jpg', type: 'images', mimeType: 'image/jpeg', bytes: 5, turnId: 't1', memberId: 'u2', createdAt: new Date(moment).toISOString() });
  });
});

describe('media: a cursor', () => {
  it('continues after the file it was made of', () => {
    for (const extension of ['jpg', 'png', 'webp', 'mp3', 'wav']) assert.deepEqual(parseCursor(toCursor({ ...doc, turnId: 't_-1', file: `t_-1.${extension}` })), { createdAt: moment, file: `t_-1.${extension}` });
  });

  it('is refused when it was not made here', () => {
    const [, position] = toCursor(doc).split('.') as [string, string];
    for (const cursor of ['', 'jpg', 'jpg.', position, `.${position}`, `x.${position}`, `jpg${position}`, `gif.${position}`, `jpg.${position}.`, `jpg.${Buffer.from('1:../x').toString('base64url')}`]) {
      assert.throws(() => parseCursor(cursor), (error: AppError) => error.details?.reason === 'bad_input', cursor);
    }
  });
});
