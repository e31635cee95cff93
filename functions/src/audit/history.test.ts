import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Books, copy, day, fullBooks, minute, repaired } from '../../test/books.ts';
import { at } from '../../test/money.ts';
import { availableIn } from '../credits/lots.ts';
import { AppError } from '../runtime/errors.ts';
import { auditAgent } from './audit.ts';
import { stageOf, type AgentFacts } from './facts.ts';
import { planRepair } from './repair.ts';

type Step =
  | { do: 'grant'; amount: number; priority: number; lives: number | null; rolls: number | null }
  | { do: 'adjust'; amount: number }
  | { do: 'hold' | 'voice' | 'resolve' | 'void' | 'extend' | 'settle' | 'end'; which: number; amount: number }
  | { do: 'start' | 'lapse' | 'finish' }
  | { do: 'wait'; minutes: number };
const amount = fc.integer({ min: 1, max: 300 });
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('grant' as const), amount, priority: fc.nat(3), lives: fc.option(fc.integer({ min: 1, max: 5 })), rolls: fc.option(fc.integer({ min: 1, max: 60 })) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('adjust' as const), amount: fc.integer({ min: -80, max: 80 }).filter((value) => value !== 0) }) },
  { weight: 9, arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'voice' as const, 'resolve' as const, 'void' as const, 'extend' as const, 'settle' as const, 'end' as const), which: fc.nat(20), amount }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('start' as const, 'lapse' as const, 'finish' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), minutes: fc.nat(3_000) }) },
);

/** A history that only the rules have written, and its steps, each named by its number. */
class Player {
  readonly books = new Books();
  private count = 0;

  take(step: Step): void {
    const { books } = this;
    const { facts } = books;
    const id = String(++this.count);
    const open = Object.keys(facts.sessions).find((sessionId) => stageOf(facts.sessions[sessionId]!) === 'active');
    const least = open === undefined ? 0 : facts.sessions[open]!.settledDOFs;
    const most = least + (open === undefined ? 0 : facts.agent.holds[open]!.amount);
    const one = (ids: string[], which: number): string | undefined => ids[which % ids.length];
    switch (step.do) {
      case 'grant': return void books.grant(`g${id}`, step.amount, { priority: step.priority, expiresAt: step.lives === null ? null : at(facts.at + step.lives * day), rollover: step.rolls === null ? null : { maxDOFs: step.rolls, days: 3 } });
      case 'adjust': return void books.adjust(`a${id}`, step.amount, Object.keys(facts.ledger)[0]);
      case 'hold': return void books.hold(`h${id}`, step.amount, step.which * minute);
      case 'voice': return open === undefined ? undefined : void books.voice(`v${id}`, open, step.amount, step.which * minute);
      case 'resolve': {
        const holdId = one(Object.keys(facts.agent.holds).filter((each) => facts.agent.holds[each]!.sessionId === null), step.which);
        return holdId === undefined ? undefined : void books.resolve(holdId, Math.min(step.amount, facts.agent.holds[holdId]!.amount));
      }
      case 'void': return void books.void(one(Object.keys(facts.agent.lots), step.which) ?? 'none');
      case 'start': return open === undefined && availableIn(facts.agent.lots, facts.agent.holds, facts.at) > 0 ? void books.start(`s${id}`) : undefined;
      case 'extend': return open === undefined ? undefined : void books.extend(open, step.amount);
      case 'settle': return open === undefined ? undefined : void books.settle(open, least + Math.min(step.amount, most - least));
      case 'end': return open === undefined ? undefined : void books.end(open, least + Math.min(step.amount, most - least));
      case 'finish':
        for (const [sessionId, session] of Object.entries(facts.sessions)) if (stageOf(session) === 'pending') books.settle(sessionId, session.consumedDOFs, true);
        return;
      case 'lapse': return void books.lapse();
      case 'wait':
        books.tick(step.minutes * minute).lapse();
        // What the sweep does in time.
        if (open !== undefined && facts.sessions[open]!.expiresAt.toMillis() <= facts.at) books.end(open, least);
        return this.take({ do: 'finish' });
    }
  }
}

const histories = fc.array(anyStep, { maxLength: 40, size: 'max' });

function played(steps: Step[], after: (facts: AgentFacts) => void = () => undefined): AgentFacts {
  const player = new Player();
  for (const step of steps) {
    try {
      player.take(step);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
    }
    after(player.books.facts);
  }
  return player.books.facts;
}

/** Every whole number of a document that an amount hangs on, by its path. */
function amounts(value: object, path: string[] = []): string[][] {
  return Object.entries(value).flatMap(([key, part]: [string, unknown]) => {
    if (typeof part === 'number') return checked.has(key) ? [[...path, key]] : [];
    return typeof part === 'object' && part !== null && !skipped.has(key) ? amounts(part, [...path, key]) : [];
  });
}
const checked = new Set(['amount', 'balanceAfter', 'debt', 'seq', 'currentDOFs', 'heldDOFs', 'debtDOFs', 'remaining', 'postedDOFs', 'releasedDOFs', 'settledDOFs']);
const skipped = new Set(['config', 'user']);

function add(facts: AgentFacts, path: string[], difference: number): void {
  const parent = path.slice(0, -1).reduce<Record<string, unknown>>((value, key) => value[key] as Record<string, unknown>, facts as unknown as Record<string, unknown>);
  parent[path.at(-1)!] = (parent[path.at(-1)!] as number) + difference;
}

describe('audit: whatever happens', () => {
  it('finds nothing in any history of the rules, at any time', () => {
    fc.assert(fc.property(histories, (steps) => {
      played(steps, (facts) => assert.deepEqual(auditAgent(facts), []));
    }), { numRuns: 200 });
  });

  it('finds every single amount that is another, and repairs it or leaves all as it is', () => {
    fc.assert(fc.property(histories, fc.nat(), fc.integer({ min: -3, max: 3 }).filter((value) => value !== 0), (steps, which, difference) => {
      const facts = copy(played(steps));
      const paths = amounts(facts);
      if (paths.length === 0) return;
      const path = paths[which % paths.length]!;
      add(facts, path, difference);
      const drifts = auditAgent(facts);
      assert.ok(drifts.length > 0, path.join('.'));
      const plan = planRepair(facts);
      assert.equal(plan !== null, drifts.some(({ repairable }) => repairable));
      if (plan) assert.ok(auditAgent(repaired(facts, plan)).every(({ repairable }) => !repairable), path.join('.'));
    }), { numRuns: 500 });
  });

  it('finds every amount of books with something of everything', () => {
    const { facts } = fullBooks();
    for (const path of amounts(facts)) {
      const broken = copy(facts);
      add(broken, path, 1);
      assert.ok(auditAgent(broken).length > 0, path.join('.'));
    }
  });

  it('never fails, whatever a document is', () => {
    const { facts } = fullBooks();
    const places = Object.entries({ ledger: facts.ledger, grants: facts.grants, resolvedHolds: facts.resolvedHolds, sessions: facts.sessions, lots: facts.agent.lots, holds: facts.agent.holds })
      .flatMap(([kind, documents]) => Object.entries(documents).flatMap(([id, document]) => Object.keys(document as object).map((field) => [...(kind === 'lots' || kind === 'holds' ? ['agent', kind] : [kind]), id, field])));
    fc.assert(fc.property(fc.constantFrom(...places, ...Object.keys(facts.agent).map((field) => ['agent', field]), ['user', 'activeSessions']), fc.anything(), (path, value) => {
      const broken = copy(facts) as unknown as Record<string, Record<string, unknown>>;
      const parent = path.slice(0, -1).reduce<Record<string, unknown>>((each, key) => each[key] as Record<string, unknown>, broken);
      parent[path.at(-1)!] = value;
      const found = broken as unknown as AgentFacts;
      assert.doesNotThrow(() => auditAgent(found));
      const plan = planRepair(found);
      if (plan) assert.ok(auditAgent(repaired(found, plan)).every(({ repairable }) => !repairable), path.join('.'));
    }), { numRuns: 1_000 });
  });
});
