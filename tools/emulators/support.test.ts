import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastUsefulLines } from './log.ts';
import { definedParameters, formatDotenv, writeParameters } from './parameters.ts';
import { descendants, parsePs, survivors } from './processes.ts';
import { serveSecrets } from './secrets.ts';

describe('processes', () => {
  const processes = parsePs('    1     0 init\n   10     1 firebase\n   11    10 java -jar x\n   12    11 worker\n   13     1 other\n');

  it('finds the whole tree below a process and nothing beside it', () => {
    assert.deepEqual(descendants(10, processes).map(({ pid }) => pid), [11, 12]);
  });

  it('takes a reused id for another process', () => {
    const now = parsePs('11 1 java -jar x\n12 1 somebody else\n');
    assert.deepEqual(survivors(descendants(10, processes), now).map(({ pid }) => pid), [11]);
  });
});

describe('secrets', () => {
  it('answers from the environment, an unset one with nothing, and only under its own address', async () => {
    const server = await serveSecrets({ OPENAI_API_KEY: 'key-1' });
    const value = async (url: string, name: string) => {
      const answer = await fetch(`${url}/v1/projects/demo-jiga/secrets/${name}/versions/latest:access`);
      return answer.ok ? Buffer.from(((await answer.json()) as { payload: { data: string } }).payload.data, 'base64').toString() : answer.status;
    };
    assert.equal(await value(server.url, 'OPENAI_API_KEY'), 'key-1');
    assert.equal(await value(server.url, 'GEMINI_API_KEY'), '');
    assert.equal(await value(new URL(server.url).origin, 'OPENAI_API_KEY'), 404);
    server.close();
  });
});

describe('parameters', () => {
  let folder: string;
  const source = "import { defineInt, defineSecret, defineString } from 'firebase-functions/params';\ndefineString('MODE', {});\ndefineInt( \"LIMIT\");\ndefineSecret('KEY');\n";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'jiga-parameters-'));
    mkdirSync(join(folder, 'src', 'runtime'), { recursive: true });
    writeFileSync(join(folder, 'src', 'runtime', 'params.ts'), source);
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const dotenv = () => readFileSync(join(folder, '.env.local'), 'utf8');

  it('are found by their definitions, secrets left out', () => {
    assert.deepEqual(definedParameters(join(folder, 'src')), ['LIMIT', 'MODE']);
  });

  it('come from the environment for one run', () => {
    const remove = writeParameters(folder, { MODE: 'loud', KEY: 'secret', PATH: '/bin' });
    assert.match(dotenv(), /^#.*\nMODE="loud"\n$/);
    remove();
    assert.throws(dotenv);
  });

  it('leave a file of the user alone', () => {
    writeFileSync(join(folder, '.env.local'), 'MODE=mine\n');
    writeParameters(folder, { MODE: 'loud' })();
    assert.equal(dotenv(), 'MODE=mine\n');
  });

  it('keep quotes, backslashes and line breaks', () => {
    assert.equal(formatDotenv({ A: 'a "b" \\ c\nd' }), 'A="a \\"b\\" \\\\ c\\nd"\n');
  });
});

describe('lastUsefulLines', () => {
  it('picks the lines about trouble and drops colours', () => {
    assert.equal(lastUsefulLines('starting\n\u001b[31mError: no port\u001b[39m\nstopping\n'), '  Error: no port');
    assert.equal(lastUsefulLines('one\ntwo\n', 1), '  two');
  });
});
