import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UserError } from '../errors.ts';

/** Model vendors that the demo can be told to use. */
export const PROVIDERS = ['gemini', 'openai', 'google'] as const;

/** One of the model vendors. */
export type Provider = (typeof PROVIDERS)[number];

/** The environment variable, and the secret of the functions, that holds each vendor's key. */
export const KEY_VARIABLES: Record<Provider, string> = { gemini: 'GEMINI_API_KEY', openai: 'OPENAI_API_KEY', google: 'GOOGLE_API_KEY' };

/** What `npm run demo -- ...` was asked for. */
export interface Options {
  /** Folder of the images to send; the sample frames if absent. */
  framesFolder: string | undefined;
  /** Real vendor that has to answer; the offline provider if absent. */
  provider: Provider | undefined;
  /** A server on this machine that speaks the vendor's protocol answers in its place. */
  mock: boolean;
  json: boolean;
}

const USAGE = `the options are --frames DIR, --provider ${PROVIDERS.join('|')}, --mock and --json`;

/**
 * Reads the arguments; a relative folder counts from `cwd`.
 * @throws UserError for anything unknown, and for a provider whose key is not in `env`.
 */
export function readOptions(args: string[], env: NodeJS.ProcessEnv, cwd: string): Options {
  const { frames, provider, mock = false, json = false } = parse(args);
  if (frames === '') throw new UserError(`--frames needs a folder: ${USAGE}.`);
  const wanted = provider === undefined ? undefined : PROVIDERS.find((name) => name === provider);
  if (provider !== undefined && !wanted) throw new UserError(`There is no provider "${provider}": ${USAGE}.`);
  if (mock && !wanted) throw new UserError(`--mock needs to know whom to play: add --provider ${PROVIDERS.join('|')}.`);
  if (wanted && !mock && !env[KEY_VARIABLES[wanted]]?.trim()) {
    throw new UserError(`--provider ${wanted} needs its key: set ${KEY_VARIABLES[wanted]} in the environment, add --mock, or leave --provider out to run without a key.`);
  }
  return { framesFolder: frames === undefined ? undefined : resolve(cwd, frames), provider: wanted, mock, json };
}

function parse(args: string[]): { frames?: string | undefined; provider?: string | undefined; mock?: boolean | undefined; json?: boolean | undefined } {
  try {
    return parseArgs({ args, options: { frames: { type: 'string' }, provider: { type: 'string' }, mock: { type: 'boolean' }, json: { type: 'boolean' } } }).values;
  } catch (error) {
    // Node's sentences after the first are about positional arguments, which there are none of.
    const problem = error instanceof Error ? error.message.split(/\.\s|\n/)[0] : String(error);
    throw new UserError(`${problem}: ${USAGE}.`);
  }
}

/** Keys for the functions: the wanted vendor's, and emptiness for the others, so that no key is used unasked. */
export function keyEnvironment(provider: Provider | undefined, env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(PROVIDERS.map((name) => [KEY_VARIABLES[name], name === provider ? env[KEY_VARIABLES[name]] ?? '' : '']));
}

/** The same for a vendor that a server at `url` plays, and one at `speechUrl` its Cloud Text-to-Speech: its made-up key and its addresses. */
export function mockEnvironment(provider: Provider, url: string, speechUrl: string): Record<string, string> {
  const address = provider === 'openai' ? `${url}/v1` : url;
  return { ...keyEnvironment(provider, { [KEY_VARIABLES[provider]]: 'mock-key' }), [`${provider.toUpperCase()}_BASE_URL`]: address, GOOGLE_SPEECH_BASE_URL: speechUrl };
}
