import express, { type Router } from 'express';
import { AppError } from '../runtime/errors.ts';
import { now } from '../runtime/system.ts';
import { isSigned } from './file-address.ts';
import { pathOf } from './media.ts';
import { getMediaInput } from './schema.ts';
import { mediaCacheControl } from './storage.ts';
import { keyOf, placeIn } from './store-folder.ts';

/** Serves the files of a media folder to whoever has an address that is signed and has not expired. For the emulators. */
export function mediaFiles(folder: string): Router {
  const router = express.Router();
  router.get('/media-files/sessions/:sessionId/:type/:file', async (request, response, next) => {
    const named = getMediaInput.safeParse(request.params);
    if (!named.success) throw new AppError('invalid-argument', 'The address names no file.', { reason: 'bad_input' });
    const path = pathOf(named.data.sessionId, named.data);
    if (!isSigned(await keyOf(folder), path, request.query, now())) throw new AppError('permission-denied', 'This address is not valid, or not any more. Ask getMedia for a new one.');
    placeIn(folder, path);
    const headers = { 'cache-control': mediaCacheControl, 'x-content-type-options': 'nosniff' };
    response.sendFile(path, { root: folder, cacheControl: false, headers }, (error) => {
      if (!error || response.headersSent) return;
      response.removeHeader('content-type');
      next((error as NodeJS.ErrnoException).code === 'ENOENT' ? new AppError('not-found', 'The file is gone.', { reason: 'not_found' }) : error);
    });
  });
  return router;
}
