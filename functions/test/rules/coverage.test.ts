import assert from 'node:assert/strict';
import { lacking, readDatabaseReport, readFirestoreReport, type Constant } from './coverage.ts';

describe('rules coverage: the gate', () => {
  describe('over the report of the Firestore emulator', () => {
    const content = "service cloud.firestore {\n  allow get: if request.auth != null && uid == 'ada';\n  allow list: if true;\n}\n";
    const [condition, left, right, uid] = ["request.auth != null && uid == 'ada'", 'request.auth != null', "uid == 'ada'", 'uid'] as const;
    type Part = [text: string, values: object[], children?: Part[]];
    const node = ([text, values, children = []]: Part): object => {
      const currentOffset = content.indexOf(text, content.indexOf('if ') + 3);
      return { sourcePosition: { line: 2, currentOffset, endOffset: currentOffset + text.length - 1 }, values: values.map((value) => ({ value, count: 1 })), children: children.map(node) };
    };
    const both = [{ boolValue: true }, { boolValue: false }];
    const judge = (parts: Part[], constants: Constant[] = [open], source = content) => lacking(readFirestoreReport(JSON.stringify({ rules: { files: [{ content: source }] }, report: parts.map(node) })), constants);
    const open: Constant = { file: 'firestore.rules', lineText: 'allow list: if true;', text: 'true' };
    const whole: Part = [condition, both, [[left, both], [right, both, [[uid, [{ stringValue: 'ada' }]]]]]];

    it('is content with what was true and false, and with other values that were there', () => assert.deepEqual(judge([whole]), []));

    it('names what was never true, never false and never evaluated', () => {
      assert.deepEqual(judge([[condition, [{ boolValue: false }], [[left, [{ boolValue: true }]], [right, [], [[uid, []]]]]]]), [
        `firestore.rules:2:17: ${condition} was never true`, `firestore.rules:2:17: ${left} was never false`,
        `firestore.rules:2:41: ${right} was never evaluated`, 'firestore.rules:2:41: uid was never evaluated',
      ]);
    });

    it('takes no error for a value', () => {
      assert.deepEqual(judge([[right, [{ undefined: { causeMessage: 'Null value error.' } }]]]), [`firestore.rules:2:41: ${right} was never evaluated`]);
      assert.deepEqual(judge([[right, [{ undefined: {} }, { boolValue: true }]]]), [`firestore.rules:2:41: ${right} was never false`]);
    });

    it('lets a constant be what it is only where it is meant, and wants it there', () => {
      assert.deepEqual(judge([whole], []), ['firestore.rules:3:18: true was never false']);
      assert.deepEqual(judge([whole], [{ ...open, file: 'database.rules.json' }]), ['firestore.rules:3:18: true was never false', 'database.rules.json: not there exactly once: allow list: if true;']);
      assert.deepEqual(judge([whole], [open], content.replace('list: if true', 'list: if uid')), ['firestore.rules: not there exactly once: allow list: if true;']);
    });

    it('takes no other constant for the one that is meant', () => {
      const more = (rule: string) => judge([whole], [open], content.replace('}', `  ${rule}\n}`));
      assert.deepEqual(more('allow list: if true;'), ['firestore.rules: not there exactly once: allow list: if true;']);
      assert.deepEqual(more('allow create, update: if true;'), ['firestore.rules:4:28: true was never false']);
      assert.deepEqual(more('allow write;'), ['firestore.rules:4:3: allow write; was never false']);
      assert.deepEqual(more('allow delete: if false;'), ['firestore.rules:4:20: false was never true']);
    });

    it('is not content with a report that says nothing', () => assert.throws(() => judge([]), /no expressions/));
  });

  describe('over the report of the Realtime Database emulator', () => {
    // As the official emulator writes it.
    const rules = '{\n  "rules": {\n    ".read": "auth != null",\n    "a": { ".write": false }\n  }\n}';
    const report = (read: unknown[], write: unknown[]) => JSON.stringify({ rules, report: {
      '.read': {
        'text': 'auth != null', 'location-start': '2:14', 'location-end': '2:25', 'values': read.map((value) => ({ value, count: 1 })),
        'children': [{ 'text': 'auth', 'location-start': '2:14', 'location-end': '2:17', 'values': [{ value: 'hash@1', count: 1 }] }, { 'text': 'null', 'location-start': '2:22', 'location-end': '2:25', 'values': [{ value: null, count: 1 }] }],
      },
      'a': { '.write': { 'text': 'false', 'location-start': '3:21', 'location-end': '3:25', 'values': write.map((value) => ({ value, count: 1 })) } },
    } });
    const shut: Constant = { file: 'database.rules.json', lineText: '"a": { ".write": false }', text: 'false' };

    it('is content with what was true and false', () => assert.deepEqual(lacking(readDatabaseReport(report([true, false], [false])), [shut]), []));

    it('names what was not', () => {
      assert.deepEqual(lacking(readDatabaseReport(report([true], [])), [shut]), ['database.rules.json:3:15: auth != null was never false', 'database.rules.json:4:22: false was never evaluated']);
      assert.deepEqual(lacking(readDatabaseReport(report([], [false])), []), ['database.rules.json:3:15: auth != null was never evaluated', 'database.rules.json:4:22: false was never true']);
    });

    it('is not content with a report that it does not understand', () => {
      assert.throws(() => readDatabaseReport(JSON.stringify({ rules, report: {} })), /no expressions/);
      assert.throws(() => readDatabaseReport(JSON.stringify({ rules, report: { '.read': { values: [] } } })), /without its place/);
    });
  });
});
