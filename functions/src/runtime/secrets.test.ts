import assert from 'node:assert/strict';
import { describeError } from './errors.ts';
import { geminiApiKey, googleApiKey, openaiApiKey } from './params.ts';
import { secretNames, withoutSecrets } from './secrets.ts';

describe('the secrets of a process', () => {
  const before = process.env['OPENAI_API_KEY'];
  const key = 'made-up/key+"of"\nours';

  beforeEach(() => { process.env['OPENAI_API_KEY'] = key; });
  afterEach(() => {
    if (before === undefined) delete process.env['OPENAI_API_KEY'];
    else process.env['OPENAI_API_KEY'] = before;
  });

  it('are those that functions are bound to', () => {
    assert.deepEqual([geminiApiKey, googleApiKey, openaiApiKey].map(({ name }) => name), secretNames);
  });

  it('are taken out of texts, in every form that is written by somebody else', () => {
    for (const text of [key, encodeURIComponent(key), JSON.stringify(key).slice(1, -1)]) assert.equal(withoutSecrets(`a ${text} b ${text}`), 'a [OPENAI_API_KEY] b [OPENAI_API_KEY]');
    assert.equal(withoutSecrets('{"authorization":"Bearer abc.def"} and bearer  xyz'), '{"authorization":"Bearer [token]"} and bearer  [token]');
    assert.equal(withoutSecrets('nothing in here'), 'nothing in here');
  });

  it('garble no text when they are hardly there', () => {
    for (const short of ['', 'a']) {
      process.env['OPENAI_API_KEY'] = short;
      assert.equal(withoutSecrets('as it was'), 'as it was');
    }
  });

  it('are in no description of an error, however deep', () => {
    const cause = new Error(`no header may hold ${key}`);
    const { message, stack, cause: inner } = describeError(new Error(`failed with ${encodeURIComponent(key)}`, { cause }));
    assert.deepEqual([message, inner?.message], ['failed with [OPENAI_API_KEY]', 'no header may hold [OPENAI_API_KEY]']);
    for (const text of [stack, inner?.stack]) assert.doesNotMatch(text!, /made-up/);
  });
});
