/** Sources of rules, as a failing gate names them. */
export type RulesFile = 'firestore.rules' | 'database.rules.json';

/** A (sub-)expression of rules with the distinct values that it has had. What ended in an error was not evaluated. */
export interface Expression {
  file: RulesFile;
  /** Counted from 1. */
  line: number;
  column: number;
  text: string;
  /** The line that it begins on, without indentation. */
  lineText: string;
  values: unknown[];
}

/** A constant that is meant: it cannot be both true and false. */
export interface Constant {
  file: RulesFile;
  /** The whole of its line, without indentation. */
  lineText: string;
  text: string;
}

function expressionAt(file: RulesFile, source: string, [start, end]: [start: number, end: number], values: unknown[]): Expression {
  const before = source.slice(0, start).split('\n');
  const line = before.length;
  return { file, line, column: before.at(-1)!.length + 1, text: source.slice(start, end), lineText: source.split('\n')[line - 1]!.trim(), values: [...new Set(values)] };
}

interface FirestoreNode {
  sourcePosition: { currentOffset: number; endOffset: number };
  values?: { value: Record<string, unknown> }[];
  children?: FirestoreNode[];
}

/** Rules that are constants, which the emulator does not report: they have the value that they are, and without a condition that is true. */
function constantRules(content: string): Expression[] {
  return [...content.matchAll(/allow [a-z, ]+(?:: if (?<constant>true|false))?;/gd)].map((rule) => {
    const place = rule.indices!.groups!['constant'] ?? rule.indices![0]!;
    return expressionAt('firestore.rules', content, place, [rule.groups!['constant'] !== 'false']);
  });
}

/**
 * Expressions of the Firestore emulator's report, and the rules that are constants.
 * @throws Error when the report has another shape.
 */
export function readFirestoreReport(json: string): Expression[] {
  const { rules, report } = JSON.parse(json) as { rules: { files: [{ content: string }] }; report: FirestoreNode[] };
  const [{ content }] = rules.files;
  const read = ({ sourcePosition: { currentOffset, endOffset }, values = [], children = [] }: FirestoreNode): Expression[] => {
    const had = values.filter(({ value }) => !('undefined' in value)).map(({ value }) => value['boolValue'] ?? JSON.stringify(value));
    return [expressionAt('firestore.rules', content, [currentOffset, endOffset + 1], had), ...children.flatMap(read)];
  };
  return [...notEmpty(report.flatMap(read)), ...constantRules(content)];
}

interface DatabaseNode {
  text?: string;
  'location-start'?: string;
  'location-end'?: string;
  values?: { value: unknown }[];
  children?: DatabaseNode[];
}

/**
 * Expressions of the Realtime Database emulator's report.
 * @throws Error when the report has another shape.
 */
export function readDatabaseReport(json: string): Expression[] {
  const { rules, report } = JSON.parse(json) as { rules: string; report: object };
  const lines = rules.split('\n');
  const offsetOf = (place: string): number => {
    const [line, column] = place.split(':').map(Number) as [number, number];
    return lines.slice(0, line).reduce((sum, { length }) => sum + length + 1, column);
  };
  const read = ({ 'location-start': start, 'location-end': end, values = [], children = [] }: DatabaseNode): Expression[] => {
    if (start === undefined || end === undefined) throw new Error('an expression without its place');
    return [expressionAt('database.rules.json', rules, [offsetOf(start), offsetOf(end) + 1], values.map(({ value }) => value)), ...children.flatMap(read)];
  };
  const walk = (node: object): Expression[] => Object.entries(node).flatMap(([key, value]: [string, object]) => (['.read', '.write', '.validate'].includes(key) ? read(value) : walk(value)));
  return notEmpty(walk(report));
}

function notEmpty(expressions: Expression[]): Expression[] {
  if (expressions.length === 0) throw new Error('the report has no expressions');
  return expressions;
}

/**
 * What is missing from full coverage, a line for each: expressions that were never evaluated, those that were true or
 * false but not both, and constants that are meant but are not there.
 */
export function lacking(expressions: readonly Expression[], constants: readonly Constant[]): string[] {
  const isMeant = (expression: Expression): boolean => constants.some((constant) => isThe(constant, expression));
  const gaps = expressions.map((expression) => ({ expression, gap: gapOf(expression, isMeant(expression)) })).filter(({ gap }) => gap !== null);
  const gone = constants.filter((constant) => expressions.filter((expression) => isThe(constant, expression)).length !== 1);
  return [
    ...gaps.map(({ expression: { file, line, column, text }, gap }) => `${file}:${line}:${column}: ${text} was never ${gap}`),
    ...gone.map(({ file, lineText }) => `${file}: not there exactly once: ${lineText}`),
  ];
}

function isThe({ file, lineText, text }: Constant, expression: Expression): boolean {
  return expression.file === file && expression.lineText === lineText && expression.text === text;
}

/** What an expression has never been. */
function gapOf({ values }: Expression, constant: boolean): string | null {
  if (values.length === 0) return 'evaluated';
  if (constant) return null;
  if (values.includes(true)) return values.includes(false) ? null : 'false';
  return values.includes(false) ? 'true' : null;
}
