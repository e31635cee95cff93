import assert from 'node:assert/strict';
import { createNarrator } from './narrator.ts';
import { sampleEvidence } from './sample.ts';

/** Tells a session of two frames and one instruction. */
function tell(isTTY: boolean): string {
  let told = '';
  const narrator = createNarrator({ isTTY, columns: 80, write: (text) => { told += text; } });
  const { turns, session } = sampleEvidence().play;
  narrator.session(session);
  const answer = (kind: 'frame' | 'instruction', index: number, reply: string, remaining: number) => {
    narrator.turn({ kind, index, count: 2, instruction: kind === 'frame' ? null : 'Hey?' });
    for (const piece of reply.match(/.{1,4}/g) ?? []) narrator.text(piece);
    narrator.meter({ starting: 90, consumed: 90 - remaining, remaining });
    narrator.answered({ ...turns[0]!, kind, reply });
  };
  answer('frame', 0, 'A meadow. It is day.', 70);
  answer('frame', 1, 'A meadow. A fox runs.', 50);
  answer('instruction', 1, 'I see a fox.', 45);
  narrator.ending();
  narrator.meter({ starting: 90, consumed: 45, remaining: 0 });
  return told;
}

describe('the narrator of the demo', () => {
  it('tells plain lines without control characters where there is no terminal', () => {
    const lines = tell(false).split('\n');
    assert.ok(!/[\r\x1b]/.test(lines.join('')));
    assert.ok(lines.includes('  agent      A meadow. It is day.'));
    assert.ok(lines.includes('  frame  1/2   70 DOFs left  100 ms'));
    assert.ok(lines.includes('  frame  2/2   50 DOFs left  100 ms  … A fox runs.'));
    assert.ok(lines.includes('  you        Hey?'));
    assert.ok(lines.includes('  agent      I see a fox.'));
  });

  it('draws a progress line with the meter on a terminal, never wider than it', () => {
    const told = tell(true);
    assert.match(told, /frame {7}2\/2 {2}▕█+[▏▎▍▌▋▊▉]? +▏ 50 DOFs/);
    const drawn = told.split(/[\r\n]/).map((line) => line.replace('\x1b[2K', ''));
    assert.ok(drawn.every((line) => [...line].length < 80), JSON.stringify(drawn.filter((line) => [...line].length >= 80)));
    assert.ok(!told.includes(' 0 DOFs'), 'what is released at the end is no consumption');
    assert.match(told, /you {8}Hey\?\n/);
  });
});
