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

  /** Takes a share of that much, at once where it is there; more than there is counts as all of it, and nothing is always there. */
  async take(wanted: number): Promise<Share> {
    const amount = Math.min(wanted, this.#whole);
    if (amount > 0 && (this.#waiting.length > 0 || amount > this.#left)) await new Promise<void>((begin) => this.#waiting.push({ amount, begin }));
    else this.#left -= amount;
    let isHeld = true;
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

  #serve(): void {
    for (let next = this.#waiting[0]; next && next.amount <= this.#left; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#left -= next.amount;
      next.begin();
    }
  }
}
