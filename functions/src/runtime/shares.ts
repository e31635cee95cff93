import { after } from './system.ts';

/** A share of what is shared out. */
export interface Share {
  readonly isHeld: boolean;
  /** A second time that does nothing. */
  giveBack: () => void;
}

/** Shares something out in order of arrival: whoever comes when too little is left waits, and so does everybody after. */
export class Shares {
  readonly #whole: number;
  #left: number;
  readonly #waiting: { amount: number; begin: () => void }[] = [];

  /** @param whole How much there is. */
  constructor(whole: number) {
    this.#whole = whole;
    this.#left = whole;
  }

  /**
   * Takes a share of that much, at once where it is there; more than there is counts as all of it, and nothing is always
   * there. Whoever has waited for `patienceMs` goes on without: its share is not held.
   */
  async take(wanted: number, patienceMs?: number): Promise<Share> {
    const amount = Math.min(wanted, this.#whole);
    let isHeld = true;
    if (amount > 0 && (this.#waiting.length > 0 || amount > this.#left)) isHeld = await this.#comeNext(amount, patienceMs);
    else this.#left -= amount;
    return {
      get isHeld() {
        return isHeld;
      },
      giveBack: () => {
        if (isHeld) this.#left += amount;
        isHeld = false;
        this.#serve();
      },
    };
  }

  #comeNext(amount: number, patienceMs?: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter = { amount, begin: () => {
        giveUp();
        resolve(true);
      } };
      const giveUp = patienceMs === undefined ? () => undefined : after(patienceMs, () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        this.#serve();
        resolve(false);
      });
      this.#waiting.push(waiter);
    });
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next && next.amount <= this.#left; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#left -= next.amount;
      next.begin();
    }
  }
}
