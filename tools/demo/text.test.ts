import assert from 'node:assert/strict';
import { joinReplies } from './listener.ts';
import { formatBar, formatMs, keepEnd, percentile, tellNews, Wrapper } from './text.ts';

function wrap(pieces: string[], width: number): string {
  let written = '';
  const wrapper = new Wrapper({ width, indent: '  ', write: (text) => { written += text; } });
  for (const piece of pieces) wrapper.add(piece);
  wrapper.end();
  return written;
}

describe('text of the demo', () => {
  it('fills a bar to an eighth of a cell', () => {
    assert.deepEqual([0, 1, 0.5, 0.3, -1, 2].map((share) => formatBar(share, 4)), ['    ', '████', '██  ', '█▎  ', '    ', '████']);
  });

  it('takes percentiles that are values', () => {
    assert.deepEqual([percentile([3, 1, 2], 0.5), percentile([3, 1, 2], 0.95), percentile([7], 0.5)], [2, 3, 7]);
    assert.ok(Number.isNaN(percentile([], 0.5)));
  });

  it('writes durations for people', () => assert.deepEqual([formatMs(12.4), formatMs(999), formatMs(1_250)], ['12 ms', '999 ms', '1.3 s']));

  it('tells only what is new', () => {
    assert.equal(tellNews('It is day. A fox runs. It is warm.', 'It is day. It is warm.'), '… A fox runs. …');
    assert.equal(tellNews('It is 5.5 m\nhigh!', ''), 'It is 5.5 m high!');
    assert.equal(tellNews('A. B.', 'A. B.'), '(the same again)');
  });

  it('keeps the end of a long text', () => assert.deepEqual([keepEnd('abc', 3), keepEnd('abcd', 3), keepEnd('abcd', -4)], ['abc', '…cd', '']));

  it('wraps text that comes in pieces, and never inside a word', () => {
    assert.equal(wrap(['one tw', 'o three four fi', 've six seven'], 22), 'one two three four\n  five six seven');
    assert.equal(wrap(['', ' '], 22), '');
  });

  it('puts a streamed reply together in the order of its keys', () => {
    assert.deepEqual(joinReplies({ t1: { '-b': { type: 'chunk', text: 'there' }, '-a': { type: 'chunk', text: 'Hi ' }, '-c': { type: 'done' } } }), { t1: 'Hi there' });
  });
});
