import assert from 'node:assert/strict';
import { get, ref, set } from 'firebase/database';
import type { ReportedExpression, ReportedRules } from './coverage.ts';
import { useLab } from './lab.ts';

describe('coverage of the security rules', () => {
  const lab = useLab();
  const refused = /permission.denied/i;

  const reportOf = async (ns = 'demo'): Promise<{ rules: string; report: ReportedRules }> => (await lab.current.rest(`/.inspect/coverage.json?ns=${ns}`)).json as { rules: string; report: ReportedRules };
  const at = (report: ReportedRules, ...path: string[]) => path.reduce<ReportedRules>((rules, key) => rules[key] as ReportedRules, report) as unknown as ReportedExpression;
  /** Every expression with the values it had, as often as it had them. */
  const flat = ({ text, values, children = [] }: ReportedExpression): [string, unknown][] => [[text, values.map(({ value, count }) => [value, count])], ...children.flatMap(flat)];

  it('tells what each part has been, and which parts were never reached', async () => {
    await lab.current.rules({ notes: { $uid: { '.read': "auth != null && (auth.uid === $uid || auth.token.role === 'admin')" } } });
    await assert.rejects(get(ref(lab.current.client(), 'notes/ada')), refused);
    await get(ref(lab.current.client('ada'), 'notes/ada'));
    assert.deepEqual(flat(at((await reportOf()).report, 'notes', '$uid', '.read')), [
      ["auth != null && (auth.uid === $uid || auth.token.role === 'admin')", [[false, 1], [true, 1]]],
      ['auth != null', [[false, 1], [true, 1]]],
      ['auth', [[null, 1], ['hash@object', 1]]],
      ['null', [[null, 2]]],
      ["auth.uid === $uid || auth.token.role === 'admin'", [[true, 1]]],
      ['auth.uid === $uid', [[true, 1]]],
      ['auth.uid', [['ada', 1]]],
      ['auth', [['hash@object', 1]]],
      ['$uid', [['ada', 1]]],
      ["auth.token.role === 'admin'", []],
      ['auth.token.role', []],
      ['auth.token', []],
      ['auth', []],
      ["'admin'", []],
    ]);
    await assert.rejects(get(ref(lab.current.client('bob'), 'notes/ada')), refused);
    assert.deepEqual(at((await reportOf()).report, 'notes', '$uid', '.read').values, [{ value: false, count: 2 }, { value: true, count: 1 }]);
  });

  it('takes calls apart into what they are called on and their arguments', async () => {
    await lab.current.rules({ a: { '.write': true, '.validate': "newData.hasChildren(['x']) && newData.child('x').val().matches(/^[a-z]+$/)" } });
    const place = ref(lab.current.client('ada'), 'a');
    await set(place, { x: 'abc' });
    await assert.rejects(set(place, { y: 1 }), refused);
    const { report } = await reportOf();
    assert.deepEqual(flat(at(report, 'a', '.validate')), [
      ["newData.hasChildren(['x']) && newData.child('x').val().matches(/^[a-z]+$/)", [[true, 1], [false, 1]]],
      ["newData.hasChildren(['x'])", [[true, 1], [false, 1]]],
      ['newData', [['hash@object', 2]]],
      ["['x']", [['hash@object', 2]]],
      ["'x'", [['x', 2]]],
      ["newData.child('x').val().matches(/^[a-z]+$/)", [[true, 1]]],
      ["newData.child('x').val()", [['abc', 1]]],
      ["newData.child('x')", [['hash@object', 1]]],
      ['newData', [['hash@object', 1]]],
      ["'x'", [['x', 1]]],
      ['/^[a-z]+$/', [['hash@object', 1]]],
    ]);
    assert.deepEqual(flat(at(report, 'a', '.write')), [['true', [[true, 2]]]]);
  });

  it('counts an expression that fails as not evaluated', async () => {
    await lab.current.rules({ a: { '.write': 'newData.val().length > 2' } });
    const place = ref(lab.current.client('ada'), 'a');
    await assert.rejects(set(place, 5), refused);
    assert.deepEqual(at((await reportOf()).report, 'a', '.write').values, []);
    await set(place, 'abc');
    assert.deepEqual(at((await reportOf()).report, 'a', '.write').values, [{ value: true, count: 1 }]);
  });

  it('says where each expression stands, whatever the source looks like', async () => {
    const source = `{
  // "rules": {".read": "a comment"}
  "rules": {
    "b": { ".read": false, ".indexOn": [".read", "x"] },
    "a": {
      ".read": "auth != null &&
                $key === \\"\\\\u0041 b\\"",
      ".write": /* why */ "auth.uid === 'ada'"
    }
  }
}`.replace('"a": {', '"$key": {');
    await lab.current.rules(source);
    const { rules, report } = await reportOf();
    assert.equal(rules, source);
    const lines = source.split('\n');
    const shown = ({ 'location-start': start, 'location-end': end }: ReportedExpression): string => {
      const [[line, first], [lastLine, last]] = [start, end].map((place) => place.split(':').map(Number)) as [[number, number], [number, number]];
      return line === lastLine ? lines[line]!.slice(first, last + 1) : `${lines[line]!.slice(first)}\n${lines[lastLine]!.slice(0, last + 1)}`;
    };
    const read = at(report, '$key', '.read');
    assert.deepEqual([read, ...read.children!, ...read.children![1]!.children!].map(shown), [
      `auth != null &&\n                $key === \\"\\\\u0041 b\\"`, 'auth != null', '$key === \\"\\\\u0041 b\\"', '$key', '\\"\\\\u0041 b\\"',
    ]);
    assert.equal(shown(at(report, '$key', '.write')), "auth.uid === 'ada'");
    assert.deepEqual([at(report, 'b', '.read')['location-start'], shown(at(report, 'b', '.read'))], ['3:20', 'false']);
    assert.deepEqual(Object.keys(report['b']!), ['.read']);
  });

  it('begins anew with every load of the rules, for each database by itself', async () => {
    await lab.current.rules({ '.read': true });
    await lab.current.rules({ '.read': true }, 'other');
    await get(ref(lab.current.client('ada'), 'a'));
    assert.deepEqual([at((await reportOf()).report, '.read').values, at((await reportOf('other')).report, '.read').values], [[{ value: true, count: 1 }], []]);
    await lab.current.rules({ '.read': true });
    assert.deepEqual(at((await reportOf()).report, '.read').values, []);
  });

  it('is not made of what administrators do', async () => {
    await lab.current.rules({ '.read': 'auth != null', '.write': 'auth != null' });
    await lab.current.admin().ref('a').set(1);
    await lab.current.admin().ref('a').get();
    const { report } = await reportOf();
    assert.deepEqual([at(report, '.read').values, at(report, '.write').values], [[], []]);
  });

  it('does not keep every value that a clock has shown', async () => {
    await lab.current.rules({ a: { '.write': "data.val() !== 'x'" } });
    const place = ref(lab.current.client('ada'), 'a');
    for (let index = 0; index < 70; index++) await set(place, index);
    const [value] = at((await reportOf()).report, 'a', '.write').children!;
    assert.equal(value!.values.reduce((sum, { count }) => sum + count, 0), 70);
    assert.deepEqual([value!.values.length, value!.values.at(-1)], [51, { value: 'hash@others', count: 20 }]);
  });
});
