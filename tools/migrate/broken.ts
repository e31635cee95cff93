/** A file that keeps its whole session from being imported: which one, relative to the session's folder, and what is wrong with it. */
export class BrokenFile extends Error {
  readonly file: string;
  readonly reason: string;

  constructor(file: string, reason: string) {
    super(`${file}: ${reason}`);
    this.file = file;
    this.reason = reason;
  }
}
