import { after } from '../runtime/system.ts';
import { pieceKey, tellTurn, type Piece, type Rest } from './store-streams.ts';

/** How long a turn thinks before members are told so, ms; one that ends sooner is told of when it ends. */
const thinkingAfterMs = 250;
/** How long the first words wait for more, ms: a reply that is whole by then is written with its end. */
const firstWordsAfterMs = 100;
/** How long later words wait for more, ms. */
const moreWordsAfterMs = 250;

/**
 * Tells the members of a session how far a turn is. What comes at about the same time is written together: a message
 * costs more than the words in it. However fast the model, words are written no more often than every 250 ms.
 */
export class StreamWriter {
  private pending = '';
  private written = 0;
  private told: 'nothing' | 'thinking' | 'speaking' = 'nothing';
  /** Whether what is pending will be written by itself. */
  private isDue = false;
  private cancel: () => void = () => undefined;
  private writes: Promise<void> = Promise.resolve();
  private complete = true;
  /** Pieces whose write has failed. */
  private lost: Record<string, Piece> = {};
  private readonly sessionId: string;
  private readonly turn: { id: string; by: string };
  /** Once it is aborted nothing more is told: who has closed the turn may have told of its end. */
  private readonly closed: AbortSignal;

  constructor(sessionId: string, turnId: string, by: string, closed: AbortSignal) {
    this.sessionId = sessionId;
    this.turn = { id: turnId, by };
    this.closed = closed;
  }

  /** The model is being asked. */
  think(): void {
    this.later(thinkingAfterMs, () => {
      this.told = 'thinking';
      this.write({}, this.turnAs('thinking'));
    });
  }

  /** Adds text of the reply. */
  add(text: string): void {
    this.pending += text;
    if (!this.isDue) this.later(firstWordsAfterMs, () => this.flush());
    this.isDue = true;
  }

  /** Writes nothing more; resolves once what was being written has come through or failed: true when all of it is there. */
  async stop(): Promise<boolean> {
    this.cancel();
    await this.writes;
    return this.complete;
  }

  /** The text that has not been written, or not come through, for the write that ends the turn. */
  rest(): Rest {
    const first = this.written === 0;
    return { first, pieces: { ...this.lost, ...(this.pending === '' ? {} : this.nextPiece(this.pending)) } };
  }

  private flush(): void {
    // Half of a character waits for the other half.
    const whole = this.pending.replace(/[\ud800-\udbff]$/, '');
    this.isDue = whole !== '';
    if (!this.isDue) return;
    const live = this.told === 'speaking' ? {} : this.told === 'thinking' ? { 'turn/state': 'speaking' } : this.turnAs('speaking');
    this.told = 'speaking';
    this.write(this.nextPiece(whole), live);
    this.later(moreWordsAfterMs, () => this.flush());
  }

  private turnAs(state: 'thinking' | 'speaking'): object {
    return { turn: { id: this.turn.id, state, by: this.turn.by } };
  }

  /** The beginning of what is pending as the next piece, by its key. The first says who asked. */
  private nextPiece(text: string): Record<string, Piece> {
    // Half of a character at the end of a reply that was cut is what no database takes.
    const piece: Piece = { type: 'chunk', text: text.toWellFormed(), ...(this.written === 0 ? { by: this.turn.by } : {}) };
    const key = pieceKey(this.written);
    this.pending = this.pending.slice(text.length);
    this.written++;
    return { [key]: piece };
  }

  private write(pieces: Record<string, Piece>, live: object): void {
    this.writes = this.writes.then(async () => {
      if (!this.closed.aborted) await tellTurn(this.sessionId, this.turn.id, pieces, live);
    }).catch(() => {
      this.complete = false;
      this.lost = { ...this.lost, ...pieces };
    });
  }

  private later(ms: number, act: () => void): void {
    this.cancel();
    this.cancel = after(ms, () => {
      if (!this.closed.aborted) act();
    });
  }
}
