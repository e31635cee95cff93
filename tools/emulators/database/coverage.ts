/** Which values each expression of the rules has had, in the shape in which the official emulator reports it. */

import type { ExpressionNode, RuleNode } from 'targaryen';
import { expressionPlaces, type ExpressionPlace } from './rules-json.ts';

/** An expression and its parts, as reported. Places are `line:column`, counted from 0, and the end is the last character itself. */
export interface ReportedExpression {
  text: string;
  'location-start': string;
  'location-end': string;
  /** Empty when the expression was never evaluated. */
  values: { value: unknown; count: number }[];
  children?: ReportedExpression[];
}

/** The expressions of the rules, where the rules themselves stand. */
export interface ReportedRules {
  [key: string]: ReportedExpression | ReportedRules;
}

/** Clocks and names have ever new values; of those beyond this many only the count is kept. */
const MOST_VALUES = 50;

/** Gives the report as it is now. */
type Observed = () => ReportedExpression;

/** Observes every expression of rules for as long as they are in force. */
export class Coverage {
  readonly #source: string;
  readonly #observed: { path: string[]; report: Observed }[] = [];

  constructor(source: string, root: RuleNode) {
    this.#source = source;
    for (const place of expressionPlaces(source)) {
      const node = expressionAt(root, place.path);
      if (node !== null) this.#observed.push({ path: place.path, report: observe(node, source, place) });
    }
  }

  /** The report as JSON: the text of the rules, and what their expressions were. */
  get json(): string {
    const report: ReportedRules = {};
    for (const { path, report: expression } of this.#observed) {
      const parent = path.slice(0, -1).reduce((rules, key) => (rules[key] ??= {}) as ReportedRules, report);
      parent[path.at(-1)!] = expression();
    }
    return JSON.stringify({ rules: this.#source, report });
  }
}

/** The expression that the parser made of a rule. */
function expressionAt(root: RuleNode, path: readonly string[]): ExpressionNode | null {
  const owner = path.slice(0, -1).reduce<RuleNode | null>((node, key) => (key.startsWith('$') ? node?.$wildchild : node?.[key] as RuleNode) ?? null, root);
  return owner?.[`$${path.at(-1)!.slice(1)}` as '$read']?.root.expression ?? null;
}

/** Counts what the expression and its parts evaluate to: a part that is never reached is never counted. */
function observe(node: ExpressionNode, source: string, place: ExpressionPlace): Observed {
  const values = new Map<unknown, number>();
  const evaluate = node.evaluate.bind(node);
  node.evaluate = (state) => {
    const value = evaluate(state);
    count(values, value);
    return value;
  };
  const [start, end] = node.astNode.range;
  const parts = partsOf(node).map((part) => observe(part, source, place));
  return () => ({
    text: node.original,
    'location-start': lineAndColumn(source, place.offsetOf(start)),
    'location-end': lineAndColumn(source, place.offsetOf(end) - 1),
    values: [...values].map(([value, count]) => ({ value, count })),
    ...(parts.length > 0 ? { children: parts.map((report) => report()) } : {}),
  });
}

/** What an expression is made of. A method is no value of its own: a call consists of what it is called on and its arguments. */
function partsOf(node: ExpressionNode): ExpressionNode[] {
  const { left, right, argument, test, consequent, alternate, object, callee, computed, property } = node;
  const single = [left, right, argument, test, consequent, alternate, object, callee?.object, computed === true ? property : undefined];
  return [...single.filter((part) => part !== undefined), ...node.arguments ?? [], ...node.elements ?? []];
}

function count(values: Map<unknown, number>, value: unknown): void {
  const plain = typeof value === 'object' && value !== null ? 'hash@object' : value;
  const kept = values.has(plain) || typeof plain === 'boolean' || values.size < MOST_VALUES ? plain : 'hash@others';
  values.set(kept, (values.get(kept) ?? 0) + 1);
}

function lineAndColumn(source: string, offset: number): string {
  const before = source.slice(0, offset).split('\n');
  return `${before.length - 1}:${before.at(-1)!.length}`;
}
