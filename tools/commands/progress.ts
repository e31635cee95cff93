/** Shows how far something is: a line that renews itself for people, a line per tenth for pipes. */
export interface Progress {
  show: (done: number) => void;
  end: () => void;
}

/** Makes a progress display for `total` of something. */
export function createProgress(what: string, total: number, { write, isTTY }: { write: (text: string) => unknown; isTTY: boolean } = { write: (text) => process.stderr.write(text), isTTY: process.stderr.isTTY }): Progress {
  const begun = performance.now();
  let shown = 0;
  const line = (done: number): string => `${done} of ${total} ${what}, ${Math.round((performance.now() - begun) / 1000)} s`;
  return {
    show(done) {
      const step = isTTY ? Math.max(1, Math.floor(total / 200)) : Math.max(1, Math.floor(total / 10));
      if (done < shown + step && done < total) return;
      shown = done;
      write(isTTY ? `\r${line(done)} ` : `${line(done)}\n`);
    },
    end: () => void (isTTY && shown > 0 && write('\n')),
  };
}
