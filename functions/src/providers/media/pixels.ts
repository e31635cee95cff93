/** Side of the square that a frame is scaled to before it is measured. */
export const side = 64;
/** Cells along each side of the fingerprint, and the pixels of one cell's side. */
export const cells = 8;
const cellSide = side / cells;

/** Names that a pixel can get; plain words, because they end up in a sentence. */
export type ColourName = 'black' | 'dark grey' | 'grey' | 'light grey' | 'white' | 'red' | 'orange' | 'brown' | 'yellow' | 'green' | 'teal' | 'blue' | 'purple' | 'pink';

/** Measurements of one scaled frame. */
export interface Measurements {
  /** Mean luma, 0 (black) to 1 (white). */
  brightness: number;
  /** Up to three colours that cover at least 8 % of the picture each, largest first, with their share 0 to 1. */
  colours: { name: ColourName; share: number }[];
  /** Spread of luma, 0 (flat) to 1 (half black, half white). */
  contrast: number;
  /** Mean step between neighbouring pixels, 0 (smooth) to 1 (checkerboard). */
  detail: number;
  /** As fingerprintOf makes it. */
  fingerprint: Uint8Array;
}

/** Luma of each pixel, 0 to 255: ITU-R BT.601, what JPEG itself uses. */
function lumaOf(rgb: Uint8Array): Float64Array {
  const luma = new Float64Array(side * side);
  for (let index = 0; index < luma.length; index += 1) {
    luma[index] = 0.299 * (rgb[index * 3] ?? 0) + 0.587 * (rgb[index * 3 + 1] ?? 0) + 0.114 * (rgb[index * 3 + 2] ?? 0);
  }
  return luma;
}

const smallestShare = 0.08;
const mostColours = 3;

/** Measures `side` times `side` RGB pixels. Pure and deterministic. */
export function measure(rgb: Uint8Array): Measurements {
  const luma = lumaOf(rgb);
  const counts = new Map<ColourName, number>();
  for (let index = 0; index < luma.length; index += 1) {
    const [r = 0, g = 0, b = 0] = rgb.subarray(index * 3, index * 3 + 3);
    const name = colourName(r, g, b);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const mean = average(luma);
  const deviation = Math.sqrt(average(luma.map((value) => (value - mean) ** 2)));
  const colours = [...counts]
    .map(([name, count]) => ({ name, share: count / luma.length }))
    .filter(({ share }) => share >= smallestShare)
    // By name where shares are equal: the order must not depend on which pixel came first.
    .sort((a, b) => b.share - a.share || a.name.localeCompare(b.name, 'en'))
    .slice(0, mostColours);
  return { brightness: mean / 255, colours, contrast: Math.min(1, deviation / 127.5), detail: detailOf(luma), fingerprint: fingerprintOf(rgb) };
}

const average = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

function detailOf(luma: Float64Array): number {
  let sum = 0;
  let pairs = 0;
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const here = luma[y * side + x] ?? 0;
      if (x + 1 < side) sum += Math.abs(here - (luma[y * side + x + 1] ?? 0));
      if (y + 1 < side) sum += Math.abs(here - (luma[(y + 1) * side + x] ?? 0));
      pairs += Number(x + 1 < side) + Number(y + 1 < side);
    }
  }
  return sum / pairs / 255;
}

/**
 * Weighted mean luma 0 to 255 of each cell, row by row: 64 bytes. A plain mean would not notice a small figure that moves
 * within its cell, so a pixel's weight grows from the cell's upper left to its lower right corner, 1 on average. Only luma
 * counts: a change between two colours of the same brightness goes unnoticed.
 *
 * @param rgb `side` times `side` RGB pixels.
 */
export function fingerprintOf(rgb: Uint8Array): Uint8Array {
  const sums = new Float64Array(cells * cells);
  lumaOf(rgb).forEach((value, index) => {
    const [x, y] = [index % side, Math.floor(index / side)];
    const cell = Math.floor(y / cellSide) * cells + Math.floor(x / cellSide);
    sums[cell] = (sums[cell] ?? 0) + value * (1 + 0.6 * offCentre(x) + 0.4 * offCentre(y));
  });
  return Uint8Array.from(sums, (sum) => Math.round(sum / cellSide ** 2));
}

/** Where a pixel lies along its cell, -1 (its beginning) to 1 (its end). */
const offCentre = (along: number) => ((along % cellSide) + 0.5) / (cellSide / 2) - 1;

/** Nearest everyday word for a colour, by hue, saturation and lightness (HSL). */
export function colourName(r: number, g: number, b: number): ColourName {
  const max = Math.max(r, g, b);
  const min = Math.min(r, g, b);
  const lightness = (max + min) / 510;
  const chroma = (max - min) / 255;
  if (lightness < 0.1) return 'black';
  if (chroma < 0.12) {
    if (lightness > 0.9) return 'white';
    return lightness > 0.65 ? 'light grey' : lightness > 0.35 ? 'grey' : 'dark grey';
  }
  const hue = hueOf(r, g, b, max, max - min);
  if (hue < 15 || hue >= 345) return lightness > 0.7 ? 'pink' : 'red';
  if (hue < 45) return lightness < 0.4 ? 'brown' : 'orange';
  if (hue < 70) return 'yellow';
  if (hue < 160) return 'green';
  if (hue < 190) return 'teal';
  if (hue < 255) return 'blue';
  return hue < 295 ? 'purple' : 'pink';
}

/** Hue in degrees, 0 (red) to 360. */
function hueOf(r: number, g: number, b: number, max: number, spread: number): number {
  if (max === r) return (60 * ((g - b) / spread) + 360) % 360;
  return max === g ? 60 * ((b - r) / spread) + 120 : 60 * ((r - g) / spread) + 240;
}

/** What changed between two fingerprints. */
export interface Motion {
  /** Share of the picture that changed, 0 to 1. */
  amount: number;
  /** Where most of it changed, such as "upper left" or "centre"; null when nothing did. */
  region: string | null;
}

/** A cell counts as changed from this many levels of luma (of 255): above JPEG noise, below a small figure moving. */
const changedFrom = 3;

/** Compares two fingerprints of `cells` times `cells` bytes. */
export function compare(before: Uint8Array, now: Uint8Array): Motion {
  let changed = 0;
  let weight = 0;
  let left = 0;
  let top = 0;
  now.forEach((value, index) => {
    const difference = Math.abs(value - (before[index] ?? 0));
    if (difference < changedFrom) return;
    changed += 1;
    weight += difference;
    left += difference * ((index % cells) + 0.5);
    top += difference * (Math.floor(index / cells) + 0.5);
  });
  if (changed === 0) return { amount: 0, region: null };
  return { amount: changed / now.length, region: regionOf(left / weight / cells, top / weight / cells) };
}

/** Name of a point in a picture of width and height 1. */
function regionOf(x: number, y: number): string {
  const column = x < 1 / 3 ? 'left' : x > 2 / 3 ? 'right' : '';
  const row = y < 1 / 3 ? 'upper' : y > 2 / 3 ? 'lower' : '';
  if (!row && !column) return 'centre';
  if (!row) return column;
  return `${row} ${column || 'middle'}`;
}
