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

  /** Rules that have been parsed. */
  export interface Ruleset {
    readonly root: object;
    tryRead(path: string, data: RulesDatabase, options: { now: number; query: Record<string, unknown> }): Result;
    tryWrite(path: string, data: RulesDatabase, newData: RulesDatabase, newValue: unknown): Result;
  }

  const targaryen: { ruleset(definition: unknown): Ruleset };
  export default targaryen;
}
