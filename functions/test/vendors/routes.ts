import { embeddingRoutes } from './embeddings.ts';
import { geminiRoutes } from './gemini.ts';
import { modelRoutes } from './models.ts';
import { openaiRoutes } from './openai.ts';
import type { Route } from './script.ts';
import { speechRoutes } from './speech.ts';
import { tokenRoutes } from './tokens.ts';

/** Every call that the mock vendors know; the first that fits answers. */
export const routes: Route[] = [...speechRoutes, ...embeddingRoutes, ...tokenRoutes, ...modelRoutes, ...geminiRoutes, ...openaiRoutes];
