import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { playADay } from '../../functions/test/written-lines.ts';
import { FUNCTIONS, ROOT } from '../paths.ts';
import { alerts } from './definitions.ts';
import { extracted, toEntry } from './filter.ts';
import { alertSections, readRunbook } from './runbook.ts';

const page = readRunbook();
const found = (pattern: RegExp): string[] => [...new Set([...page.matchAll(pattern)].map(([, what]) => what!))].sort();

describe('what operators read', () => {
  it('has a heading for each alert, and an alert for each heading', () => {
    assert.deepEqual(Object.keys(alertSections(page)).sort(), Object.keys(alerts()));
    for (const [name, { displayName, documentation }] of Object.entries(alerts())) {
      assert.deepEqual(documentation, { mimeType: 'text/markdown', content: `docs/operations.md#${name}` });
      assert.equal(displayName.replace('JIGA: ', '').toLowerCase().replaceAll(' ', '-'), name);
    }
  });

  it('says what to do at each alert in a length that an alert may bring along', () => {
    for (const [name, text] of Object.entries(alertSections(page))) {
      assert.ok(text.includes('\n1. ') && Buffer.byteLength(text) < 8_000, name);
    }
  });

  it('names commands, functions, secrets and files that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    const { functions: manifest } = JSON.parse(readFileSync(join(FUNCTIONS, 'test', 'manifest.json'), 'utf8')) as { functions: Record<string, { secrets: string[] }> };
    assert.deepEqual(found(/npm run ([\w:-]+)/g).filter((name) => !(name in scripts)), []);
    assert.deepEqual(found(/functions:(\w+)(?=[,` ])/g).filter((name) => !name.startsWith('secrets') && name !== 'delete' && !(name in manifest)), []);
    const readers = Object.entries(manifest).filter(([, { secrets }]) => secrets.length > 0).map(([name]) => name).sort();
    assert.deepEqual(found(/functions:(\w+)(?=[,` ])/g).filter((name) => name in manifest), readers, 'a new key reaches every function that reads one');
    assert.deepEqual(found(/`((?:tools|functions|emulator-data)\/[\w./-]+)`/g).filter((path) => !path.includes('.env')).filter((path) => !existsSync(join(ROOT, path))), []);
  });

  it('asks the log for fields that are written', async function () {
    this.timeout(60_000);
    const entries = (await playADay()).map(toEntry);
    const missing = found(/(jsonPayload(?:\.\w+)+)/g).filter((field) => !entries.some((entry) => extracted(`EXTRACT(${field})`, entry) !== undefined));
    // Where both are numbers, which those of that day are not.
    assert.deepEqual(missing, ['jsonPayload.expected', 'jsonPayload.found']);
  });
});

