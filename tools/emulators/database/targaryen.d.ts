/** The part of targaryen that the rules need. It brings no types of its own. */
declare module 'targaryen' {
  /** What an evaluation decided, and why. */
  export interface Result {
    readonly allowed: boolean;
    readonly info: string;
  }

  /** A place in the data as a rule sees it. */
  export interface RuleDataSnapshot {
    exists(): boolean;
    toString(): string;
  }

  /** The data that rules are evaluated against. Any object of this shape will do. */
  export interface RulesDatabase {
    readonly auth: unknown;
    readonly debug: boolean;
    readonly timestamp: number;
    snapshot(path: string): RuleDataSnapshot;
    walk(path: string, visit: (snapshot: RuleDataSnapshot) => boolean): void;
  }

  /** An expression that has been parsed; which parts it has depends on its kind. */
  export interface ExpressionNode {
    readonly original: string;
    readonly astNode: { readonly range: readonly [start: number, end: number] };
    evaluate: (state: unknown) => unknown;
    readonly left?: ExpressionNode;
    readonly right?: ExpressionNode;
    readonly argument?: ExpressionNode;
    readonly test?: ExpressionNode;
    readonly consequent?: ExpressionNode;
    readonly alternate?: ExpressionNode;
    readonly object?: ExpressionNode;
    readonly computed?: boolean;
    readonly property?: ExpressionNode;
    readonly callee?: ExpressionNode;
    readonly arguments?: readonly ExpressionNode[];
    readonly elements?: readonly ExpressionNode[];
  }

  /** A rule: the statement that its expression is. */
  export interface Rule {
    readonly root: { readonly expression: ExpressionNode };
  }

  /** The rules of one place; those of the places below are its other members. */
  export interface RuleNode {
    readonly $read: Rule | null;
    readonly $write: Rule | null;
    readonly $validate: Rule | null;
    readonly $wildchild: RuleNode | null;
    readonly [key: string]: unknown;
  }

  /** Rules that have been parsed. */
  export interface Ruleset {
    readonly root: RuleNode;
    tryRead(path: string, data: RulesDatabase, options: { now: number; query: Record<string, unknown> }): Result;
    tryWrite(path: string, data: RulesDatabase, newData: RulesDatabase, newValue: unknown): Result;
  }

  const targaryen: { ruleset(definition: unknown): Ruleset };
  export default targaryen;
}
