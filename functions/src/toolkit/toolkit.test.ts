import assert from 'node:assert/strict';
import fc from 'fast-check';
import { hostileCalls, injections } from '../../test/injections.ts';
import { plainText } from '../memory/memory.ts';
import type { ToolCall } from '../providers/types.ts';
import { useLog, type Log } from '../runtime/log.ts';
import { callTool, maxResultCharacters, toolsOf, type ToolPorts } from './toolkit.ts';

const everything = ['rememberFact', 'recallMemory', 'setObjective', 'lookUpGuide'];
/** Argument and most characters of each tool. */
const argumentOf: Record<string, [name: string, most: number]> = { rememberFact: ['fact', 500], recallMemory: ['query', 300], setObjective: ['objective', 200], lookUpGuide: ['topic', 200] };
const guide = { specialization: 'strategy-analyst', games: ['Tiles of Tarn', 'Citadel Drift'], guidance: 'Weigh two or three plans.' };

const silent: Log = { info: () => undefined, warn: () => undefined, write: () => undefined };

/** Ports that note what reaches them. */
function recorded(parts: Partial<ToolPorts> = {}): { ports: ToolPorts; reached: unknown[][] } {
  const reached: unknown[][] = [];
  const note = <T>(name: string, answer: T) => (...args: unknown[]): Promise<T> => {
    reached.push([name, ...args]);
    return Promise.resolve(answer);
  };
  const ports: ToolPorts = { offered: everything, remember: note('remember', 'remembered' as const), recall: note('recall', ['The player likes maps.']), setObjective: note('setObjective', undefined), guide, ...parts };
  return { ports, reached };
}
const use = (name: string, args: unknown, parts: Partial<ToolPorts> = {}) => callTool({ name, args }, recorded(parts).ports);

describe('the toolkit: what is offered', () => {
  const names = (toolkit: string[], hasMemory: boolean): string[] => toolsOf({ toolkit, hasMemory }).map(({ name }) => name);

  it('is what the product names, each once', () => {
    assert.deepEqual(names(everything, true), everything);
    assert.deepEqual(names(['lookUpGuide', 'setObjective', 'lookUpGuide'], true), ['setObjective', 'lookUpGuide']);
    assert.deepEqual(names([], true), []);
  });

  it('has no memory where the agent has none', () => assert.deepEqual(names(everything, false), ['setObjective', 'lookUpGuide']));

  it('has nothing that does not exist', () => assert.deepEqual(names(['grantDofs', 'toString', '__proto__', 'RememberFact', ''], true), []));

  it('is described by the schemas that check it', () => {
    for (const { name, description, parameters } of toolsOf({ toolkit: everything, hasMemory: true })) {
      const [argument, most] = argumentOf[name]!;
      const { properties, ...rest } = parameters as { properties: Record<string, { type: string; minLength: number; maxLength: number; description: string }> };
      assert.deepEqual(rest, { type: 'object', required: [argument], additionalProperties: false });
      const { description: meaning, ...type } = properties[argument]!;
      assert.deepEqual([Object.keys(properties), type], [[argument], { type: 'string', minLength: 1, maxLength: most }]);
      for (const text of [description, meaning]) assert.match(text, /^[A-Z].*\.$/);
    }
  });
});

describe('the toolkit: calls', () => {
  before(() => useLog(silent));
  after(() => useLog(null));

  it('reach their port with the text alone, and tell what came of it', async () => {
    const table: [string, unknown, unknown[][], object][] = [
      ['rememberFact', { fact: '  The player\nlikes maps. ' }, [['remember', 'The player likes maps.']], { status: 'remembered' }],
      ['recallMemory', { query: 'maps' }, [['recall', 'maps']], { memories: ['The player likes maps.'] }],
      ['setObjective', { objective: 'Find the key' }, [['setObjective', 'Find the key']], { status: 'set' }],
      ['lookUpGuide', { topic: 'tiles' }, [], { passages: ['games: Tiles of Tarn'] }],
    ];
    for (const [name, args, expected, result] of table) {
      const { ports, reached } = recorded();
      assert.deepEqual([await callTool({ name, args }, ports), reached], [result, expected]);
    }
  });

  it('say that a fact is known, and that nothing more can be kept', async () => {
    assert.deepEqual(await use('rememberFact', { fact: 'x' }, { remember: () => Promise.resolve('known') }), { status: 'known' });
    assert.deepEqual(await use('rememberFact', { fact: 'x' }, { remember: () => Promise.resolve('full') }), { status: 'full', note: 'Nothing more can be remembered until the player deletes memories.' });
  });

  it('say that there is no guide, and nothing when it knows nothing', async () => {
    assert.deepEqual(await use('lookUpGuide', { topic: 'tiles' }, { guide: null }), { passages: [], note: 'You have no guide.' });
    assert.deepEqual(await use('lookUpGuide', { topic: 'dragons' }), { passages: [] });
  });

  it('say what is wrong with them', async () => {
    const table: [string, unknown, string][] = [
      ['grantDofs', { amount: 1 }, `You have no such tool. You have: ${everything.join(', ')}.`],
      ['rememberFact', '{"fact":"x"}', 'The arguments are not a JSON object.'],
      ['rememberFact', null, 'The arguments are not a JSON object.'],
      ['rememberFact', ['x'], 'The arguments are not a JSON object.'],
      ['rememberFact', { fact: 'x', uid: 'u' }, 'There is an argument that this tool does not take.'],
      ['rememberFact', {}, 'fact: Invalid input: expected string, received undefined.'],
      ['rememberFact', { fact: 7 }, 'fact: Invalid input: expected string, received number.'],
      ['setObjective', { objective: 'x'.repeat(201) }, 'objective: Too big: expected string to have <=200 characters.'],
      ['recallMemory', { query: '\u200B ' }, 'query: has nothing in it that can be seen.'],
    ];
    for (const [name, args, error] of table) assert.deepEqual(await use(name, args), { error });
    assert.deepEqual(await use('lookUpGuide', { topic: 'x' }, { offered: [] }), { error: 'You have no tools.' });
  });

  it('do not reach a tool that was not offered', async () => {
    for (const name of everything) {
      const { ports, reached } = recorded({ offered: everything.filter((each) => each !== name) });
      assert.match(JSON.stringify(await callTool({ name, args: { [argumentOf[name]![0]]: 'x' } }, ports)), /You have no such tool/);
      assert.deepEqual(reached, []);
    }
  });

  it('answer that a port has failed, whatever it threw', async () => {
    for (const failure of [new Error('key sk-123'), 'text', null]) {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a port may fail with anything
      const fail = () => Promise.reject(failure);
      for (const name of ['rememberFact', 'recallMemory', 'setObjective']) {
        assert.deepEqual(await use(name, { [argumentOf[name]![0]]: 'x' }, { remember: fail, recall: fail, setObjective: fail }), { error: 'not available right now' });
      }
    }
  });

  it('give as many whole texts as there is room for', async () => {
    const recall = () => Promise.resolve(['a'.repeat(400), 'b'.repeat(400), 'c'.repeat(100)]);
    const found = async (most?: number) => ((await callTool({ name: 'recallMemory', args: { query: 'x' } }, recorded({ recall }).ports, most)) as { memories: string[] }).memories.map((each) => each[0]).join('');
    assert.deepEqual([await found(), await found(600), await found(300), await found(20)], ['abc', 'ac', 'c', '']);
  });
});

describe('the toolkit: hostile calls', () => {
  before(() => useLog(silent));
  after(() => useLog(null));

  /** What each port may have been given at most: one plain text. */
  function assertHarmless({ name, args }: ToolCall, reached: unknown[][], result: Record<string, unknown>): void {
    assert.ok(JSON.stringify(result).length <= maxResultCharacters);
    assert.ok(reached.length <= 1);
    if (reached.length === 0) return;
    const [argument, most] = argumentOf[name]!;
    const given = (args as Record<string, unknown>)[argument];
    assert.ok(typeof given === 'string' && Object.keys(args as object).join() === argument, 'exactly the argument of the tool');
    assert.deepEqual(reached[0]!.slice(1), [plainText(given, most)]);
  }

  it('are refused or made harmless, every one', async () => {
    assert.ok(hostileCalls.length >= 40);
    let refused = 0;
    for (const call of hostileCalls) {
      const { ports, reached } = recorded();
      const result = await callTool(call, ports);
      assertHarmless(call, reached, result);
      if ('error' in result) refused += 1;
    }
    assert.equal(hostileCalls.length - refused, 15, 'those that are well formed');
    assert.equal(({} as { admin?: boolean }).admin, undefined);
  });

  it('are not repeated by the error', async () => {
    for (const args of [{ fact: 7, 'secret-word': 1 }, { fact: ['secret-word'] }, 'secret-word', { fact: `secret-word${'x'.repeat(500)}` }]) assert.doesNotMatch(JSON.stringify(await use('rememberFact', args)), /secret-word/);
    assert.doesNotMatch(JSON.stringify(await use('secret-word', {})), /secret-word/);
  });

  it('get text made plain, whatever the injection', async () => {
    assert.ok(injections.length >= 110);
    for (const injection of injections) {
      for (const name of everything) {
        const { ports, reached } = recorded();
        const call = { id: 'c', name, args: { [argumentOf[name]![0]]: injection } };
        assertHarmless(call, reached, await callTool(call, ports));
      }
    }
  });

  it('bring back injections as text among texts', async () => {
    for (const injection of injections) {
      const result = await use('recallMemory', { query: 'x' }, { recall: () => Promise.resolve([injection, injection]) });
      assert.deepEqual(Object.keys(result), ['memories']);
      for (const memory of result['memories'] as unknown[]) assert.ok(typeof memory === 'string' && memory.length <= 500 && !/[\u0000-\u001F\u200B\u202A-\u202E]/.test(memory));
      assert.ok(JSON.stringify(result).length <= maxResultCharacters);
      const looked = await use('lookUpGuide', { topic: injection.slice(0, 50) }, { guide: { [injection]: injection, list: [injection, { deep: injection }] } });
      assert.ok(JSON.stringify(looked).length <= maxResultCharacters);
    }
  });

  it('never throw and never reach a port with anything but plain text', async () => {
    const name = fc.oneof(fc.constantFrom(...everything), fc.string(), fc.anything()) as fc.Arbitrary<string>;
    const args = fc.oneof(fc.anything({ withNullPrototype: true }), fc.dictionary(fc.constantFrom('fact', 'query', 'objective', 'topic', 'uid', '__proto__'), fc.oneof(fc.string({ maxLength: 600, unit: 'binary' }), fc.anything())));
    await fc.assert(fc.asyncProperty(name, args, async (called, given) => {
      const { ports, reached } = recorded();
      assertHarmless({ id: 'c', name: called, args: given }, reached, await callTool({ name: called, args: given }, ports));
    }), { numRuns: 2_000 });
  });

  it('cannot make it throw by arguments that throw when they are read', async () => {
    const args = { get fact(): string { throw new Error('read'); } };
    assert.deepEqual(await use('rememberFact', args), { error: 'not available right now' });
  });
});
