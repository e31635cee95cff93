import type { FunctionCallingConfigMode, ThinkingLevel } from '@google/genai';
import { calledBefore, earlier, givenId, type GivenCall } from '../conversation.ts';
import type { ModelRequest, ProviderName, ToolCall, ToolRound } from '../types.ts';

/** One part of a prompt in Gemini's wire shape, which the Gemini API and Vertex AI share. */
export type GeminiPart =
  | { text: string }
  | { inlineData: { mimeType: string; data: string } }
  | { functionCall: { id?: string; name: string; args: Record<string, unknown> }; thoughtSignature?: string }
  | { functionResponse: { id?: string; name: string; response: Record<string, unknown> } };

/** What one side said. */
export interface GeminiContent {
  role: 'user' | 'model';
  parts: GeminiPart[];
}

/** Functions that are offered, and whether they may be called. */
export interface GeminiTools {
  tools?: { functionDeclarations: { name: string; description: string; parametersJsonSchema?: Record<string, unknown> }[] }[];
  toolConfig?: { functionCallingConfig: { mode: FunctionCallingConfigMode.NONE } };
}

/** The whole conversation: earlier turns, this one, and its rounds of function calls. */
export function geminiContents(provider: ProviderName, request: ModelRequest): GeminiContent[] {
  const before = earlier(request.history).flatMap(({ user, model }): GeminiContent[] => [{ role: 'user', parts: [{ text: user }] }, { role: 'model', parts: [{ text: model }] }]);
  const rounds = (request.rounds ?? []).flatMap((round) => roundContents(provider, request, round));
  return [...before, { role: 'user', parts: geminiParts(request) }, ...rounds];
}

/** The user's turn: media before text, the order Google recommends for a single picture. */
export function geminiParts(request: ModelRequest): GeminiPart[] {
  const parts: GeminiPart[] = [];
  for (const media of [request.frame, request.audio]) {
    if (media) parts.push({ inlineData: { mimeType: media.mime, data: media.bytes.toString('base64') } });
  }
  if (request.instruction) parts.push({ text: request.instruction });
  return parts;
}

/** What the model asked for and what it got (https://ai.google.dev/gemini-api/docs/function-calling). */
function roundContents(provider: ProviderName, request: ModelRequest, { text, calls, results }: ToolRound): GeminiContent[] {
  const asked = calls.map((call, index): GeminiPart => {
    const thoughtSignature = signatureFor(call, index === 0, provider, request);
    return { functionCall: { ...idOf(call), name: call.name, args: argsOf(call) }, ...(thoughtSignature ? { thoughtSignature } : {}) };
  });
  const got = calls.map((call, index): GeminiPart => ({ functionResponse: { ...idOf(call), name: call.name, response: results[index] ?? {} } }));
  return [{ role: 'model', parts: [...(text ? [{ text }] : []), ...asked] }, { role: 'user', parts: got }];
}

function idOf(call: ToolCall): { id?: string } {
  const id = givenId(call);
  return id === undefined ? {} : { id };
}

/** Gemini takes an object only; what another vendor's model wrote may be anything. */
function argsOf({ args }: ToolCall): Record<string, unknown> {
  return typeof args === 'object' && args !== null && !Array.isArray(args) ? { ...args } : {};
}

/** A call whose signature says whose it is: only the model that made one takes it back. */
export function signed(call: GivenCall, provider: ProviderName, { model }: ModelRequest): GivenCall {
  return call.signature === undefined ? call : { ...call, signature: `${provider}/${model} ${call.signature}` };
}

/**
 * The signature to go with a call that is given back. From Gemini 3 on a model refuses a round whose first call has none;
 * for the call of another model there is a value that it lets pass (https://ai.google.dev/gemini-api/docs/thought-signatures).
 */
function signatureFor({ signature = '' }: ToolCall, first: boolean, provider: ProviderName, { model }: ModelRequest): string | undefined {
  const mark = `${provider}/${model} `;
  if (signature.startsWith(mark)) return signature.slice(mark.length);
  return first && generationOf(model) >= 3 ? 'skip_thought_signature_validator' : undefined;
}

/** The functions that are offered. After rounds of calls without any, those that were called, not to be called again: a history of undeclared functions makes the model call them all the same. */
export function geminiTools(request: ModelRequest): GeminiTools {
  if (request.tools?.length) {
    const functionDeclarations = request.tools.map(({ name, description, parameters: { $schema: _, ...schema } }) => ({ name, description, parametersJsonSchema: schema }));
    return { tools: [{ functionDeclarations }] };
  }
  const functionDeclarations = calledBefore(request);
  if (functionDeclarations.length === 0) return {};
  return { tools: [{ functionDeclarations }], toolConfig: { functionCallingConfig: { mode: 'NONE' as FunctionCallingConfigMode.NONE } } };
}

/**
 * Bounds of the reply. Thinking is billed as output and taken out of maxOutputTokens, and at its default a Gemini 3
 * model can spend all of a short bound on it and answer nothing; LOW is the least that every Gemini 3 model accepts
 * (https://ai.google.dev/gemini-api/docs/thinking). Older models know no levels and would refuse the field.
 */
export function geminiBounds({ model, maxOutputTokens }: ModelRequest): { maxOutputTokens: number; thinkingConfig?: { thinkingLevel: ThinkingLevel.LOW } } {
  // The enum is only a type here: its value would load the whole SDK.
  return generationOf(model) >= 3 ? { maxOutputTokens, thinkingConfig: { thinkingLevel: 'LOW' as ThinkingLevel.LOW } } : { maxOutputTokens };
}

function generationOf(model: string): number {
  return Number(/(?:^|\/)gemini-(\d+)/.exec(model)?.[1] ?? 0);
}
