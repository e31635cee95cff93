import assert from 'node:assert/strict';
import { inParallel } from '../../tools/parallel.ts';
import type { operations } from '../src/operations.ts';
import { httpStatusOf } from '../src/runtime/errors.ts';
import { cellsOf, forms, type Cell } from './access.ts';
import { call, placeFor, serveAll, tokenOf, ways, type Answer, type Served, type Way } from './access-calls.ts';
import { codeOf, type Form } from './access-rules.ts';
import { setStage, storedOf, type Stage } from './access-stage.ts';
import { endInstances } from './deployed.ts';
import { closeClients } from './harness.ts';
import { startIdTokenService, type IdTokenService } from './id-token-service.ts';

after(async () => {
  await endInstances();
  await closeClients();
});

/** Asks a few at a time; answers in the order of the items. */
async function answersTo<T>(items: T[], ask: (item: T) => Promise<Answer[]>): Promise<Answer[][]> {
  const answers: Answer[][] = [];
  await inParallel([...items.entries()], 8, async ([index, item]) => { answers[index] = await ask(item); });
  return answers;
}

describe('who may do what', () => {
  let tokens: IdTokenService;
  let served: Served;
  let stage: Stage;
  let stored: Record<string, unknown>;

  before(async function () {
    this.timeout(120_000);
    tokens = await startIdTokenService();
    served = await serveAll(tokens);
    stage = await setStage();
    stored = await storedOf(stage);
  });
  after(() => tokens.close());

  const ask = (on: Stage, way: Way, name: keyof typeof operations, form: Form, { caller, target }: Cell): Promise<Answer> =>
    call(served, way, name, form.input(placeFor(on, target)), tokenOf(tokens, on, caller));

  /** Whose name, and the ids made from it, no answer may hold: nobody meets the stranger, and who is no member not the owner. */
  const hiddenFrom = (caller: Cell['caller']): string[] => (caller === 'admin' ? [] : [stage.accounts.at(-1)!, ...(caller === 'removed' || caller === 'other' ? [stage.uids.owner] : [])]);

  /** Whether it is as the table says. */
  function assertOutcome({ caller, target, expected }: Cell, way: Way, { status, error, text }: Answer): void {
    const what = `${caller}, ${target}, by ${way}: ${text}`;
    if (expected === 'ok' || expected === 'done') {
      assert.ok(error === null, what);
      for (const uid of hiddenFrom(caller)) assert.ok(!text.includes(uid), what);
      return;
    }
    assert.deepEqual([status, error?.code, error?.details?.reason], [httpStatusOf[codeOf[expected]], codeOf[expected], expected], what);
  }

  for (const { name, form } of forms) {
    const cells = cellsOf({ name, form });
    const still = cells.filter(({ expected }) => expected !== 'done');
    const moving = cells.filter(({ expected }) => expected === 'done');

    describe(`${name} ${form.as ?? ''}`.trim(), () => {
      it(`answers ${still.length} of ${cells.length} callers and changes nothing for them`, async () => {
        const answers = await answersTo(still, (cell) => Promise.all(ways.map((way) => ask(stage, way, name, form, cell))));
        // What this one has changed is not the fault of the next.
        const was = stored;
        stored = await storedOf(stage);
        for (const [index, cell] of still.entries()) for (const [at, way] of ways.entries()) assertOutcome(cell, way, answers[index]![at]!);
        for (const [index, cell] of still.entries()) assert.deepEqual(answers[index]![0]!.error, answers[index]![1]!.error, `${cell.caller}, ${cell.target}: both ways answer alike`);
        for (const at of ways.keys()) {
          const hidden = still.flatMap(({ expected }, index) => (expected === 'not_found' || expected === 'invite_invalid' ? [answers[index]![at]!.text] : []));
          assert.ok(new Set(hidden).size <= 1, `what is foreign and what is missing are told apart: ${[...new Set(hidden)].join(' ')}`);
        }
        assert.deepEqual(stored, was);
      });

      if (moving.length === 0) return;
      it(`does it for ${moving.map(({ caller, target }) => `${caller} (${target})`).join(', ')}`, async () => {
        await inParallel(moving.flatMap((cell) => ways.map((way) => ({ cell, way }))), 4, async ({ cell, way }) => {
          const own = await setStage({ foreign: cell.target === 'foreign' });
          const before = await storedOf(own);
          assertOutcome(cell, way, await ask(own, way, name, form, cell));
          assert.notDeepEqual(await storedOf(own), before, `${cell.caller}, ${cell.target}, by ${way} has changed nothing`);
        });
      });
    });
  }
});
