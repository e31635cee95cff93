import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { forms } from '../../functions/test/access.ts';
import { accessPage } from './access-page.ts';

describe('the page about who may do what', () => {
  it('is what the table says: npm run docs writes it', () => {
    assert.equal(readFileSync(new URL('../../docs/access.md', import.meta.url), 'utf8'), accessPage(forms));
  });
});
