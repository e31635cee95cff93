import assert from 'node:assert/strict';
import type { Drift } from '../../functions/src/audit/facts.ts';
import { UserError } from '../errors.ts';
import { readOptions } from './options.ts';
import { jsonReport, summaryLine, textReport, type Summary } from './report.ts';

const drift: Drift = { kind: 'lot.remaining', documents: ['users/u/agents/a', 'users/u/agents/a/grants/g'], expected: { lot: 'g', is: 5 }, found: { lot: 'g', is: null }, repairable: false };
const summary: Summary = { agents: 1, entries: 2, sessions: 0, drifts: 0, repairable: 0, unsteady: 0, repaired: null, seconds: 0.25 };

describe('npm run audit: options', () => {
  it('audits the emulators and changes nothing unless told', () => {
    assert.deepEqual(readOptions([]), { project: null, user: null, agent: null, repair: false, json: false, help: false });
    const all = readOptions(['--project', 'p', '--user', 'u', '--agent', 'a', '--repair', '--json']);
    assert.deepEqual(all, { project: 'p', user: 'u', agent: 'a', repair: true, json: true, help: false });
  });

  it('refuses what it does not know, and ids that are none', () => {
    for (const args of [['--force'], ['now'], ['--user'], ['--user', ''], ['--agent', 'a/b'], ['--json=yes']]) assert.throws(() => readOptions(args), UserError, args.join(' '));
  });
});

describe('npm run audit: report', () => {
  function written(isTTY: boolean): { text: () => string; report: ReturnType<typeof textReport> } {
    let text = '';
    return { text: () => text, report: textReport((part) => { text += part; }, isTTY) };
  }

  it('tells each drift in a line, and of progress at a terminal only', () => {
    const plain = written(false);
    plain.report.progress(5);
    plain.report.drift(drift);
    plain.report.repair('users/u/agents/a', ['seq', 'lots']);
    plain.report.repair('users/u/agents/a', null, 'too busy');
    assert.equal(plain.text(), [
      'drift    lot.remaining: a lot is not what the ledger left of it. users/u/agents/a, users/u/agents/a/grants/g: expected {"lot":"g","is":5}, found {"lot":"g","is":null} (cannot be repaired)',
      'repaired users/u/agents/a: seq, lots', 'failed   users/u/agents/a: too busy', '',
    ].join('\n'));
    const terminal = written(true);
    terminal.report.progress(5);
    assert.equal(terminal.text(), '\r\x1b[2K5 agents audited ...');
  });

  it('writes JSON lines and nothing else', () => {
    const lines: string[] = [];
    const report = jsonReport((text) => lines.push(text));
    report.note('again');
    report.progress(5);
    report.drift(drift);
    report.summary(summary);
    assert.deepEqual(lines.map((line) => JSON.parse(line) as unknown), [{ type: 'drift', ...drift }, { type: 'summary', ...summary }]);
  });

  it('sums up', () => {
    assert.equal(summaryLine(summary), '1 agent, 2 ledger entries, 0 sessions, no drift, 0.3 s');
    assert.equal(summaryLine({ ...summary, agents: 2, drifts: 2, repairable: 1, unsteady: 1 }), '2 agents, 2 ledger entries, 0 sessions, 2 drifts, 1 of them can be repaired (--repair), 1 agent too busy to be judged: try again, 0.3 s');
    assert.equal(summaryLine({ ...summary, drifts: 1, repairable: 1, repaired: 1 }), '1 agent, 2 ledger entries, 0 sessions, 1 agent repaired, 1 drift, 0.3 s');
  });
});
