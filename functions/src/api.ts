import { onRequest } from 'firebase-functions/https';
import type { Express } from 'express';
import { mediaFolder } from './media/load-storage.ts';
import { operations } from './operations.ts';
import { checkReadiness } from './ops/store.ts';
import { cached } from './runtime/cached.ts';
import { browserOrigins } from './runtime/params.ts';

let app: Express | undefined;

/** The REST API; its router is loaded with the first request, so that no other function's start pays for it. */
export const api = onRequest({ cors: browserOrigins(), ...operations.processFrame.options }, async (request, response) => {
  if (!app) {
    const folder = mediaFolder();
    const { restApi } = await import('./runtime/rest.ts');
    const files = folder === null ? undefined : (await import('./media/folder-route.ts')).mediaFiles(folder);
    app = restApi(Object.values(operations), cached(5_000, checkReadiness), files);
  }
  app(request, response);
});
