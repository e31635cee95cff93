const numbers = new Intl.NumberFormat('en-US');
const EIGHTHS = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const FULL = '█';

/** A whole number with its thousands apart. */
export const formatNumber = (value: number): string => numbers.format(value);

/** A duration for people. */
export function formatMs(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** A bar of `width` cells of which `share` (0 to 1) is filled, to an eighth of a cell. */
export function formatBar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const whole = FULL.repeat(Math.floor(eighths / 8));
  const rest = eighths % 8 === 0 ? '' : EIGHTHS[eighths % 8]!;
  return (whole + rest).padEnd(width, ' ');
}

/** The value that `share` (0 to 1) of the values do not exceed. */
export function percentile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

/** A reply on one line without the sentences that the reply before said too; `…` stands for those. */
export function tellNews(reply: string, before: string): string {
  const told = new Set(sentences(before));
  const parts = sentences(reply).map((sentence) => (told.has(sentence) ? '…' : sentence));
  if (parts.every((part) => part === '…')) return '(the same again)';
  return parts.filter((part, index) => part !== '…' || parts[index - 1] !== '…').join(' ');
}

function sentences(text: string): string[] {
  return text.replace(/\s+/g, ' ').trim().split(/(?<=[.!?]) /);
}

/** Text cut to a width, its end kept: the newest words of a reply are the interesting ones. */
export function keepEnd(text: string, width: number): string {
  const characters = [...text.replace(/\s+/g, ' ')];
  if (characters.length <= width) return characters.join('');
  return width < 2 ? '' : `…${characters.slice(1 - width).join('')}`;
}

/** Breaks text that comes in pieces into lines, between words, with an indentation. */
export class Wrapper {
  private column = 0;
  private pending = '';
  private readonly width: number;
  private readonly indent: string;
  private readonly write: (text: string) => void;

  constructor({ width, indent, write }: { width: number; indent: string; write: (text: string) => void }) {
    this.width = Math.max(20, width - indent.length);
    this.indent = indent;
    this.write = write;
  }

  /** Writes what is complete; the last word waits, because its end may be in the next piece. */
  add(text: string): void {
    const words = (this.pending + text).split(/\s+/);
    this.pending = words.pop() ?? '';
    for (const word of words) this.put(word);
  }

  /** Writes the rest. */
  end(): void {
    this.put(this.pending);
    this.pending = '';
  }

  private put(word: string): void {
    if (word === '') return;
    const breaks = this.column > 0 && this.column + 1 + word.length > this.width;
    this.write(this.column === 0 ? word : breaks ? `\n${this.indent}${word}` : ` ${word}`);
    this.column = breaks || this.column === 0 ? word.length : this.column + 1 + word.length;
  }
}
