import { appendChunk } from './store-streams.ts';

const flushAfterMs = 250;
const flushAtCharacters = 200;

/**
 * Collects reply text and writes it to the session's stream in batches. However fast the model, a turn writes at most
 * once for each 200 characters of its reply and once for each 250 ms that it takes.
 */
export class StreamWriter {
  private pending = '';
  private lastFlush = 0;
  private writes: Promise<void> = Promise.resolve();
  private readonly sessionId: string;
  private readonly turnId: string;
  /** Who asked; told with the first piece. */
  private by: string | null;

  constructor(sessionId: string, turnId: string, by: string) {
    this.sessionId = sessionId;
    this.turnId = turnId;
    this.by = by;
  }

  /** Adds text; writes it when enough has come together. The first piece is written at once. */
  add(text: string, now: number): void {
    this.pending += text;
    if (this.pending.length >= flushAtCharacters || now - this.lastFlush >= flushAfterMs) this.flush(now);
  }

  /** Writes the rest; resolves when everything is written, in order. */
  async end(): Promise<void> {
    this.flush(0);
    await this.writes;
  }

  private flush(now: number): void {
    if (this.pending === '') return;
    const text = this.pending;
    this.pending = '';
    this.lastFlush = now;
    const { by } = this;
    this.by = null;
    this.writes = this.writes.then(() => appendChunk(this.sessionId, this.turnId, text, by));
    // Told by end(); until then a failed write must not end the process as an unhandled rejection.
    this.writes.catch(() => undefined);
  }
}
