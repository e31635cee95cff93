import assert from 'node:assert/strict';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { goodFolder, makeFolder } from './fixtures.ts';
import { readOptions } from './options.ts';

describe('npm run migrate: options', () => {
  const { root, remove } = makeFolder({
    ...goodFolder('legacy/s1'), 'owners.json': { json: { 'auth0|1': 'uid1', ' Ann@JIGA.example': 'uid2' } }, 'bad.json': '{', 'list.json': '[]', 'number.json': { json: { a: 7 } }, 'path.json': { json: { a: '../x' } }, 'proto.json': '{"__proto__": "u"}',
  });
  const legacy = join(root, 'legacy');
  after(remove);

  it('are a folder, and nothing else that is needed', () => {
    assert.deepEqual(readOptions(['--from', legacy]), { from: legacy, project: null, owner: null, owners: new Map(), output: null, dryRun: false });
    const all = readOptions(['--from', legacy, '--project', 'p', '--owner', 'u', '--owners', join(root, 'owners.json'), '--output', join(root, 'report.json'), '--dry-run']);
    assert.deepEqual(all, { from: legacy, project: 'p', owner: 'u', owners: new Map([['auth0|1', 'uid1'], ['ann@jiga.example', 'uid2']]), output: join(root, 'report.json'), dryRun: true });
    assert.equal(readOptions(['--help']), null);
  });

  it('are refused with a sentence where they cannot be used', () => {
    const refused: [string[], RegExp][] = [
      [[], /--from is missing/], [['--from', ''], /--from is empty/], [['--from', join(root, 'gone')], /There is no folder/], [['--from', join(root, 'owners.json')], /There is no folder/],
      [['--from', join(legacy, 's1')], /is the folder of one session \(it has metadata\.json\)/], [['--from', legacy, '--force'], /--help lists/], [['--from', legacy, 'now'], /--help lists/], [['--from'], /--help lists/],
      [['--from', legacy, '--owner', 'a/b'], /--owner needs an id/], [['--from', legacy, '--project', ''], /--project is empty/],
      [['--from', legacy, '--output', root], /is a folder/], [['--from', legacy, '--output', join(root, 'gone', 'report.json')], /There is no folder .* for the report/],
      ...['bad', 'list', 'number', 'path', 'proto', 'gone'].map((name): [string[], RegExp] => [['--from', legacy, '--owners', join(root, `${name}.json`)], /^--owners cannot be used: /]),
    ];
    for (const [args, message] of refused) {
      assert.throws(() => readOptions(args), (error) => error instanceof UserError && message.test(error.message), args.join(' '));
    }
  });
});
