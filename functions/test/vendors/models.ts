import { googleError, openaiError } from './answers.ts';
import { jsonScript, type Route, type Script, type VendorMode, type VendorRequest } from './script.ts';

/** Lists of models: the Gemini API and Vertex AI in pages of two, OpenAI in one. With `wrong-counts` the pages never end, with `error-inside` an entry is none. */
export const modelRoutes: Route[] = [
  { method: 'GET', path: /^\/v1beta\/models$/, script: (mode, leak, request) => pages(mode, leak, request, 'models', 'models/') },
  { method: 'GET', path: /^\/v1beta1\/publishers\/google\/models$/, script: (mode, leak, request) => pages(mode, leak, request, 'publisherModels', 'publishers/google/models/') },
  { method: 'GET', path: /^\/v1\/models$/, script: openaiScript },
];

function pages(mode: VendorMode, leak: string, { path }: VendorRequest, field: string, prefix: string): Script {
  const last = path.includes('pageToken=');
  const names = last ? ['gemini-embedding-2'] : ['gemini-3.8-flash', 'gemini-3.8-live'];
  const models = (mode === 'wrong-counts' ? Array.from({ length: 1_000 }, () => names[0]!) : names).map((name) => ({ name: prefix + name, displayName: name }));
  const entries = mode === 'error-inside' ? [{ name: 7 }, ...models] : models;
  return googleError(mode, leak) ?? jsonScript(mode, { [field]: entries, ...((!last || mode === 'wrong-counts') && { nextPageToken: 'more' }) });
}

function openaiScript(mode: VendorMode, leak: string): Script {
  const model = (id: unknown, parts: object = {}) => ({ id, object: 'model', created: 1_700_000_000, owned_by: 'openai', ...parts });
  const data = [model('gpt-6-luna', { shutdown_date: null }), model('tts-1', { shutdown_date: '2027-01-06' }), model('gpt-realtime-2.1-mini'), model('odd', { shutdown_date: 'some day' })];
  return openaiError(mode, leak) ?? jsonScript(mode, { object: 'list', data: mode === 'error-inside' ? [model(7), null, ...data] : data });
}
