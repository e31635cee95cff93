import assert from 'node:assert/strict';
import { emptyReport, brokenReport, printable, toLines, toReport, type SessionReport } from './report.ts';

const session = (folder: string, parts: Partial<SessionReport>): SessionReport => ({ ...emptyReport(folder, folder, 'imported'), ...parts });
const head = { startedAt: '2026-01-01T00:00:00.000Z', from: '/legacy', dryRun: false, unrecognised: [] };
const found = [
  session('s2', { turns: 3, media: 1, dropped: ['the member cy@jiga.example: no account', '2 messages of the system'] }), session('s1', { turns: 5 }), session('s3', { outcome: 'unchanged', turns: 7 }),
  emptyReport('s4', 's4', 'skipped', 'no account for owner ann@jiga.example'), brokenReport('s5', 's5', 'metadata.json', 'is not JSON'), emptyReport('s6', 's6', 'differs', 'has changed'),
];

describe('the report of a migration', () => {
  it('has the sessions in the order of their folders, and adds them up', () => {
    const { sessions, totals, ...rest } = toReport(head, found);
    assert.deepEqual(sessions.map(({ folder }) => folder), ['s1', 's2', 's3', 's4', 's5', 's6']);
    assert.deepEqual(totals, { sessions: 6, imported: 2, unchanged: 1, differs: 1, skipped: 1, broken: 1, turns: 8, media: 1 });
    assert.deepEqual(rest, head);
    assert.ok(sessions.every((each) => !('would' in each)));
  });

  it('of a dry run is the same, and says what would be', () => {
    const [real, dry] = [toReport(head, found), toReport({ ...head, dryRun: true }, found)];
    assert.deepEqual(dry.totals, real.totals);
    assert.deepEqual(dry.sessions, real.sessions.map((each) => (each.outcome === 'imported' ? { ...each, would: true } : each)));
  });

  it('has a line for each session in pipes, and a table at a terminal', () => {
    assert.deepEqual(toLines(toReport(head, found), false), [
      'imported s1 s1 5 turns, 0 media', 'imported s2 s2 3 turns, 1 media; without 2 things that the report names', 'unchanged s3 s3 7 turns, 0 media',
      'skipped s4 s4 0 turns, 0 media; no account for owner (an e-mail address)', 'broken s5 s5 0 turns, 0 media; metadata.json is not JSON', 'differs s6 s6 0 turns, 0 media; has changed',
      '6 sessions: 2 imported (8 turns, 1 media), 1 unchanged, 1 that differ, 1 skipped, 1 broken',
    ]);
    const [line, , , , , , sum] = toLines(toReport({ ...head, dryRun: true, unrecognised: ['notes.txt'] }, found), true);
    assert.equal(line, 'would be imported  s1  s1  5 turns, 0 media');
    assert.equal(sum, 'not looked at: notes.txt');
    assert.deepEqual(toLines(toReport(head, []), true), ['0 sessions: 0 imported (0 turns, 0 media), 0 unchanged, 0 that differ, 0 skipped, 0 broken']);
  });

  it('prints no e-mail address, and nothing that a terminal obeys', () => {
    assert.equal(printable('no account for owner Ann.O\'Hara+x@mail.jiga.example / auth0|1'), 'no account for owner Ann.O\'(an e-mail address) / auth0|1');
    for (const text of ['ann@jiga.example', 'üñí@jiga.example', 'a@b', '<ann@jiga.example>']) assert.ok(!/@/.test(printable(text)), text);
    assert.equal(printable('a\u001b[2Jb\nc\u202Ed'), 'a\\u{1b}[2Jb\\u{a}c\\u{202e}d');
  });
});
