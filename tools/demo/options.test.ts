import assert from 'node:assert/strict';
import { keyEnvironment, mockEnvironment, readOptions } from './options.ts';

const read = (args: string[], env: NodeJS.ProcessEnv = {}) => readOptions(args, env, '/home/me');

describe('options of the demo', () => {
  it('default to the sample frames and no vendor', () => {
    assert.deepEqual(read([]), { framesFolder: undefined, provider: undefined, mock: false, json: false });
  });

  it('take a folder from where npm was called, a vendor and JSON', () => {
    assert.deepEqual(read(['--frames', 'pictures', '--provider=openai', '--json'], { OPENAI_API_KEY: 'k' }), { framesFolder: '/home/me/pictures', provider: 'openai', mock: false, json: true });
    assert.equal(read(['--frames', '/abs']).framesFolder, '/abs');
  });

  for (const [what, args, expected] of [
    ['an unknown option', ['--nonsense'], /^Unknown option '--nonsense': the options are --frames DIR, --provider gemini\|openai\|google, --mock and --json\.$/],
    ['an argument that is no option', ['pictures'], /^Unexpected argument 'pictures'.*: the options are /],
    ['a folder without its name', ['--frames'], /^Option '--frames <value>' argument missing: the options are /],
    ['an empty folder name', ['--frames', ''], /^--frames needs a folder/],
    ['an unknown vendor', ['--provider', 'toString'], /^There is no provider "toString": the options are /],
    ['a mock of nobody', ['--mock'], /^--mock needs to know whom to play: add --provider /],
    ['a vendor without its key', ['--provider', 'gemini'], /^--provider gemini needs its key: set GEMINI_API_KEY /],
  ] as const) {
    it(`refuse ${what} in one line`, () => {
      assert.throws(() => read([...args]), (error: Error) => expected.test(error.message) && !error.message.includes('\n'));
    });
  }

  it('need no key for a vendor that is played', () => {
    assert.deepEqual(read(['--provider', 'openai', '--mock']), { framesFolder: undefined, provider: 'openai', mock: true, json: false });
  });

  it('take a blank key for none', () => {
    assert.throws(() => read(['--provider', 'google'], { GOOGLE_API_KEY: ' ', GEMINI_API_KEY: 'k' }), /GOOGLE_API_KEY/);
  });
});

describe('the keys that the functions get', () => {
  const env = { GEMINI_API_KEY: 'g', OPENAI_API_KEY: 'o' };

  it('are none unless a vendor was asked for', () => {
    assert.deepEqual(keyEnvironment(undefined, env), { GEMINI_API_KEY: '', OPENAI_API_KEY: '', GOOGLE_API_KEY: '' });
  });

  it('are made up for a vendor that is played, and its address is the server that plays it', () => {
    const { OPENAI_API_KEY, OPENAI_BASE_URL, GEMINI_API_KEY } = mockEnvironment('openai', 'http://127.0.0.1:1', 'http://127.0.0.1:2');
    assert.deepEqual({ OPENAI_API_KEY, OPENAI_BASE_URL, GEMINI_API_KEY }, { OPENAI_API_KEY: 'mock-key', OPENAI_BASE_URL: 'http://127.0.0.1:1/v1', GEMINI_API_KEY: '' });
    const google = mockEnvironment('google', 'http://127.0.0.1:1', 'http://127.0.0.1:2');
    assert.deepEqual([google['GOOGLE_BASE_URL'], google['GOOGLE_SPEECH_BASE_URL'], google['OPENAI_API_KEY']], ['http://127.0.0.1:1', 'http://127.0.0.1:2', '']);
  });

  it('are the one of the vendor', () => {
    assert.deepEqual(keyEnvironment('openai', env), { GEMINI_API_KEY: '', OPENAI_API_KEY: 'o', GOOGLE_API_KEY: '' });
  });
});
