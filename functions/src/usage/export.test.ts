import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { UsageLine } from '../credits/schema.ts';
import { exportColumns, exportFileName, rowFormats, RowPicker, toCsvRecord, withoutFormula, type ExportRow } from './export.ts';
import { exportUsageInput } from './schema.ts';

function line(from: number, to: number, at = to): UsageLine {
  return { requestId: `r${to}`, turnId: `t${to}`, at, from, to, outcome: 'complete', estimated: false, provider: 'offline', model: 'm', input: { frame: null, instruction: true, audioSeconds: 0 }, usage: {} };
}
const checkpoint = (sessionId: string, lines: UsageLine[]): Parameters<RowPicker['pick']>[0] => ({ ownerId: 'u1', agentInstanceId: 'a1', sessionId, lines });
const always = { from: 0, to: Number.MAX_SAFE_INTEGER };

/** The records of CSV as RFC 4180 has them, read by another hand than the one that wrote them. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [[]];
  let rest = text;
  while (rest !== '') {
    const [all, quoted, plain = '', end] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/.exec(rest) ?? [];
    if (all === undefined) throw new Error(`not CSV: ${JSON.stringify(rest.slice(0, 40))}`);
    records.at(-1)!.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '\r\n') records.push([]);
    rest = rest.slice(all.length);
  }
  assert.deepEqual(records.pop(), [], 'the last record ends with an end of line');
  return records;
}

describe('an export: its rows', () => {
  it('are the turns that ended in the range, its end not included', () => {
    const picker = new RowPicker({ from: 10, to: 30 });
    const rows = picker.pick(checkpoint('s1', [line(0, 9), line(9, 10), line(10, 29), line(29, 30)]));
    assert.deepEqual(rows.map(({ requestId, costDOFs }) => [requestId, costDOFs]), [['r10', 1], ['r29', 19]]);
  });

  it('say whose they are, and null where nobody knows', () => {
    const [row] = new RowPicker(always).pick(checkpoint('s1', [{ ...line(0, 7, 86_400_000), requestId: '', turnId: '', model: '', usage: { outputTokens: 3 }, input: { frame: 'burst', instruction: false, audioSeconds: 2 } }]));
    assert.deepEqual(row, {
      at: '1970-01-02T00:00:00.000Z', userId: 'u1', agentInstanceId: 'a1', sessionId: 's1', requestId: null, turnId: null, provider: 'offline', model: null, frame: 'burst', instruction: false, audioSeconds: 2,
      textInputTokens: null, imageInputTokens: null, audioInputTokens: null, cachedInputTokens: null, outputTokens: 3, reasoningTokens: null, spokenCharacters: null, outcome: 'complete', estimated: false, costDOFs: 7, memberId: null,
    });
    assert.deepEqual(Object.keys(row ?? {}), [...exportColumns]);
  });

  it('come once each, however checkpoints overlap and in whatever order they are read', () => {
    const overlapping = fc.integer({ min: 1, max: 30 }).chain((count) => fc.record({
      count: fc.constant(count),
      parts: fc.array(fc.tuple(fc.nat({ max: count - 1 }), fc.integer({ min: 1, max: count })), { maxLength: 8 }),
      order: fc.array(fc.nat(), { minLength: 9, maxLength: 9 }),
    }));
    fc.assert(fc.property(overlapping, ({ count, parts, order }) => {
      const lines = Array.from({ length: count }, (_, index) => line(index * 3, index * 3 + 3));
      const documents = [[0, count] as const, ...parts].map(([start, length], index) => ({ key: order[index]!, lines: lines.slice(start, start + length) })).sort((a, b) => a.key - b.key);
      const picker = new RowPicker(always);
      const ids = documents.flatMap(({ lines: own }) => [...picker.pick(checkpoint('s1', own)), ...picker.pick(checkpoint('s2', own))]).map(({ sessionId, requestId }) => `${sessionId} ${requestId}`);
      assert.deepEqual(ids.toSorted(), ['s1', 's2'].flatMap((session) => lines.map(({ requestId }) => `${session} ${requestId}`)).toSorted());
    }));
  });

  it('of a session are not lost when clocks disagree and a later checkpoint comes first', () => {
    const picker = new RowPicker(always);
    assert.equal(picker.pick(checkpoint('s1', [line(10, 20)])).length, 1);
    assert.equal(picker.pick(checkpoint('s1', [line(0, 10), line(10, 20)])).length, 1);
    assert.equal(picker.pick(checkpoint('s1', [line(0, 10)])).length, 0);
  });
});

describe('an export: CSV', () => {
  const cells = fc.array(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', '=', '+', '-', '@', '\t', '\'', 'a') }), fc.integer(), fc.boolean(), fc.constant(null)), { minLength: 1 });

  it('reads back as it was written', () => {
    fc.assert(fc.property(fc.array(cells), (records) => {
      const text = records.map(toCsvRecord).join('');
      assert.deepEqual(parseCsv(text), records.map((record) => record.map((cell) => (typeof cell === 'string' ? withoutFormula(cell) : cell === null ? '' : String(cell)))));
    }));
  });

  it('holds nothing that a spreadsheet takes for a formula, but leaves numbers alone', () => {
    assert.deepEqual(parseCsv(toCsvRecord(['=1+1', '+1', '-A1', '@x', '\tx', '\rx', '-5', -5, 'a=b', '\'=1', '']))[0], ['\'=1+1', '\'+1', '\'-A1', '\'@x', '\'\tx', '\'\rx', '\'-5', '-5', 'a=b', '\'=1', '']);
    fc.assert(fc.property(fc.string(), (text) => assert.doesNotMatch(parseCsv(toCsvRecord([text]))[0]![0]!, /^[=+\-@\t\r]/)));
  });

  it('quotes what has to be quoted, and ends every record with CRLF', () => {
    assert.equal(toCsvRecord(['a', 'b,c', 'd"e', 'f\ng', 1, true, null]), 'a,"b,c","d""e","f\ng",1,true,\r\n');
  });

  it('begins with the columns', () => {
    assert.deepEqual(parseCsv(rowFormats.csv.head), [[...exportColumns]]);
  });
});

describe('an export: JSON lines', () => {
  it('are one object each, with every column', () => {
    const rows = new RowPicker(always).pick(checkpoint('-s', [{ ...line(0, 5), model: 'a\nb\u2028' }, line(5, 6)]));
    const text = rows.map(rowFormats.jsonl.toText).join('');
    const lines = text.split('\n');
    assert.equal(lines.pop(), '');
    assert.deepEqual(lines.map((each) => JSON.parse(each) as ExportRow), rows);
    assert.equal(rowFormats.jsonl.head, '');
  });
});

describe('an export: its input', () => {
  const accepts = (from: string, to: string): boolean => exportUsageInput.safeParse({ from, to, format: 'csv' }).success;

  it('is a range that begins before it ends', () => {
    assert.ok(accepts('2026-11-01T00:00:00Z', '2026-11-01T00:00:00.001Z'));
    assert.ok(accepts('2026-11-01T01:00:00+02:00', '2026-11-01T00:00:00Z'), 'moments are compared, not texts');
    assert.ok(!accepts('2026-11-01T00:00:00Z', '2026-11-01T00:00:00Z'));
    assert.ok(!accepts('2026-11-02T00:00:00Z', '2026-11-01T00:00:00Z'));
  });

  it('is at most 92 days long', () => {
    assert.ok(accepts('2026-07-01T00:00:00Z', '2026-10-01T00:00:00Z'));
    assert.ok(!accepts('2026-07-01T00:00:00Z', '2026-10-01T00:00:00.001Z'));
  });

  it('names moments that databases know', () => {
    for (const [from, to] of [['0000-01-01T00:00:00Z', '0000-01-02T00:00:00Z'], ['9999-12-31T00:00:00Z', '9999-12-31T23:59:59-14:00'], ['2026-02-30T00:00:00Z', '2026-03-01T00:00:00Z'], ['2026-11-01', '2026-11-02'], ['', ''], ['now', 'later']] as const) assert.ok(!accepts(from, to), from);
  });

  it('names the file after its days', () => {
    assert.equal(exportFileName({ from: '2026-11-01T01:00:00+02:00', to: '2026-11-30T00:00:00Z', format: 'csv' }), 'usage-2026-10-31-2026-11-30.csv');
  });
});
