import { embeddingDimension } from '../../src/providers/types.ts';
import { googleError, openaiError } from './answers.ts';
import { jsonScript, type Route, type Script, type VendorMode, type VendorRequest } from './script.ts';

/** The vector of a text at a vendor: 4 in the first place and 3 in one that depends on the text, so its length is 5. */
export function vendorVector(text: string): number[] {
  const vector = Array.from({ length: embeddingDimension }, () => 0);
  vector[0] = 4;
  vector[1 + text.length] = 3;
  return vector;
}

/** Vectors as the mode has them: with `wrong-counts` one is missing, with `refusal` they are short, with `error-inside` a number is none. */
function vectors(mode: VendorMode, texts: string[]): unknown[] {
  const all: unknown[][] = texts.map(vendorVector);
  if (mode === 'wrong-counts') return all.slice(1);
  if (mode === 'refusal') return all.map((vector) => vector.slice(1));
  return mode === 'error-inside' ? all.map((vector) => [null, ...vector.slice(1)]) : all;
}

/** A text that Google never answers, whatever the mode. */
export const unanswered = 'unanswered';

/** Embeddings of the Gemini API, of Vertex AI in its two forms, and of OpenAI, whose answers are in no particular order. */
export const embeddingRoutes: Route[] = [
  google(/:batchEmbedContents$/, (body: { requests: { content: Content }[] }) => body.requests.map(({ content }) => textOf(content)), (values) => ({ embeddings: values.map((vector) => ({ values: vector })) })),
  google(/:embedContent$/, (body: { content: Content }) => [textOf(body.content)], ([vector]) => ({ embedding: vector && { values: vector } })),
  google(/:predict$/, (body: { instances: { content: string }[] }) => body.instances.map(({ content }) => content), (values) => ({ predictions: values.map((vector) => ({ embeddings: { values: vector } })) })),
  { method: 'POST', path: /^\/v1\/embeddings$/, script: openaiScript },
];

interface Content { parts: { text: string }[] }
const textOf = ({ parts }: Content) => parts.map(({ text }) => text).join('');

function google<Body>(path: RegExp, textsOf: (body: Body) => string[], answer: (values: unknown[]) => unknown): Route {
  return {
    method: 'POST',
    path,
    script: (mode, leak, { body }) => {
      const texts = textsOf(body as Body);
      if (texts.some((text) => text.endsWith(unanswered))) return { kind: 'silence' };
      return googleError(mode, leak) ?? jsonScript(mode, answer(vectors(mode, texts)));
    },
  };
}

function openaiScript(mode: VendorMode, leak: string, { body }: VendorRequest): Script {
  const { input } = body as { input: string[] };
  const data = vectors(mode, input).map((embedding, index) => ({ object: 'embedding', index, embedding }));
  return openaiError(mode, leak) ?? jsonScript(mode, { object: 'list', data: data.toReversed(), model: 'any', usage: { prompt_tokens: 3, total_tokens: 3 } });
}
