/**
 * Renders the sample frames: a short side-scrolling scene that the demo, the tests and the benchmarks send as if a
 * game had captured it. Run `node tools/demo/render-frames.ts`; the same bytes come out every time.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const width = 640;
const height = 360;
const frameCount = 36;
const horizon = 270;

/** Deterministic stand-in for randomness: a fraction 0 to 1 for a whole number. */
const scatter = (seed: number) => (Math.imul(seed + 1, 0x9e3779b1) >>> 0) / 2 ** 32;

/** Position of something that scrolls past `speed` times as fast as the ground and comes back from the right. */
const scrolled = (start: number, speed: number, frame: number, span = width + 160) => ((((start - frame * 8 * speed) % span) + span) % span) - 80;

const rect = (x: number, y: number, w: number, h: number, fill: string, extra = '') =>
  `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${w.toFixed(1)}" height="${h.toFixed(1)}" fill="${fill}" ${extra}/>`;
const circle = (x: number, y: number, r: number, fill: string, extra = '') =>
  `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${r.toFixed(1)}" fill="${fill}" ${extra}/>`;

function background(frame: number): string {
  const hills = [0, 1, 2, 3].map((index) => {
    const x = scrolled(index * 210, 0.25, frame, 840);
    return `<path d="M${x - 170} ${horizon} Q${x} ${110 + scatter(index) * 70} ${x + 170} ${horizon} Z" fill="#4f6f8f"/>`;
  });
  const trees = [0, 1, 2, 3, 4, 5].map((index) => {
    const x = scrolled(index * 133, 0.6, frame);
    const tall = 50 + scatter(index + 40) * 40;
    return rect(x - 4, horizon - tall * 0.5, 8, tall * 0.5, '#5a4030') + `<path d="M${x - 24} ${horizon - tall * 0.4} L${x} ${horizon - tall * 1.3} L${x + 24} ${horizon - tall * 0.4} Z" fill="#2c5b3c"/>`;
  });
  const tiles = Array.from({ length: 18 }, (_, index) => rect(scrolled(index * 45, 1, frame, 810), horizon, 22, 10, '#7bb04c'));
  const stones = Array.from({ length: 12 }, (_, index) => circle(scrolled(index * 71, 1, frame), horizon + 28 + scatter(index + 9) * 45, 4 + scatter(index) * 5, '#6b4d31'));
  return `<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#3f7fd1"/><stop offset="1" stop-color="#bfe0f2"/></linearGradient></defs>`
    + rect(0, 0, width, horizon, 'url(#sky)') + circle(540, 64, 30, '#ffe38a')
    + hills.join('') + trees.join('')
    + rect(0, horizon, width, height - horizon, '#8a6542') + rect(0, horizon, width, 10, '#5f9a3a') + tiles.join('') + stones.join('');
}

/** The player runs in place while the world scrolls, and jumps twice. */
function player(frame: number): { x: number; y: number; svg: string } {
  const x = 150 + Math.sin(frame / 6) * 45;
  const jump = Math.max(0, Math.sin(((frame % 18) - 5) * (Math.PI / 9))) * 80;
  const y = horizon - jump;
  const stride = jump > 0 ? 9 : Math.sin(frame * 1.4) * 12;
  const limb = (dx: number, colour: string) => `<line x1="${x}" y1="${y - 24}" x2="${(x + dx).toFixed(1)}" y2="${y}" stroke="${colour}" stroke-width="8" stroke-linecap="round"/>`;
  const svg = limb(-stride, '#20305a') + limb(stride, '#2b3f75')
    + rect(x - 12, y - 54, 24, 34, '#d8402f', 'rx="6"') + circle(x, y - 66, 13, '#f2c9a0')
    + rect(x - 13, y - 80, 26, 9, '#7a1f18', 'rx="4"') + circle(x + 6, y - 67, 2.2, '#222')
    + rect(x + 8, y - 46, 26, 7, '#333', 'rx="2"');
  return { x, y, svg };
}

function enemies(frame: number): string {
  return [0, 1, 2].map((index) => {
    const x = scrolled(420 + index * 260, 1.3, frame, 840);
    const y = index === 1 ? horizon - 100 + Math.sin(frame / 3) * 18 : horizon - 20;
    const wing = Math.sin(frame * 1.8) * 10;
    const wings = index === 1 ? `<path d="M${x - 16} ${y} L${x - 38} ${y - 8 - wing} L${x - 14} ${y + 8} Z M${x + 16} ${y} L${x + 38} ${y - 8 - wing} L${x + 14} ${y + 8} Z" fill="#5b2a7a"/>` : '';
    return wings + circle(x, y, 20, index === 1 ? '#7b3fa0' : '#3d8f5a')
      + circle(x - 7, y - 5, 5, '#fff') + circle(x + 5, y - 5, 5, '#fff') + circle(x - 8, y - 5, 2.4, '#111') + circle(x + 4, y - 5, 2.4, '#111')
      + rect(x - 8, y + 7, 14, 4, '#2a1030', 'rx="2"');
  }).join('');
}

/** One shot every nine frames, flying right from where the player stood when it left. */
function projectiles(frame: number): string {
  return [0, 1, 2, 3, 4].map((shot) => {
    const age = frame - shot * 9;
    if (age < 0 || age > 16) return '';
    const from = player(shot * 9);
    const x = from.x + 36 + age * 30;
    const y = from.y - 43;
    return rect(x - 34, y - 2, 30, 4, '#ffd24a', 'opacity="0.5"') + circle(x, y, 6, '#fff3b0', 'stroke="#ff9d1e" stroke-width="3"');
  }).join('');
}

function hud(frame: number): string {
  const health = 1 - Math.floor(frame / 12) * 0.22;
  const energy = 0.35 + ((frame * 7) % 60) / 100;
  const bar = (y: number, share: number, colour: string) => rect(16, y, 164, 16, '#10141f', 'rx="4" opacity="0.8"') + rect(18, y + 2, 160 * share, 12, colour, 'rx="3"');
  const coins = Array.from({ length: 1 + Math.floor(frame / 8) }, (_, index) => circle(width - 26 - index * 24, 26, 9, '#ffcf3f', 'stroke="#a8741a" stroke-width="2"'));
  return bar(14, health, '#e2483d') + bar(36, energy, '#3fa9f5') + coins.join('');
}

/** The whole frame as SVG: shapes only, so that no installed font can change the result. */
function compose(frame: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${background(frame)}${enemies(frame)}${player(frame).svg}${projectiles(frame)}${hud(frame)}</svg>`;
}

const folder = fileURLToPath(new URL('./frames/', import.meta.url));
await mkdir(folder, { recursive: true });
let total = 0;
for (let frame = 0; frame < frameCount; frame += 1) {
  const jpeg = await sharp(Buffer.from(compose(frame))).flatten({ background: '#000' }).jpeg({ quality: 70 }).toBuffer();
  total += jpeg.length;
  await writeFile(`${folder}frame-${String(frame).padStart(3, '0')}.jpg`, jpeg);
}
console.log(`${frameCount} frames, ${total} bytes, in ${folder}`);
