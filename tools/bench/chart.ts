import { isHeld, type Goal, type Report } from './benchmark.ts';
import { figureText } from './report.ts';

const rowHeight = 26;
const [labelWidth, barWidth, valueWidth] = [330, 330, 200];
const top = 34;
/** Longer bars end in an arrow. */
const mostShares = 2;

/** How much of what is allowed is used: more than 1 is a miss. */
function shareOf({ value, limit, atLeast = false }: Goal): number {
  return atLeast ? limit / value : value / limit;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function row(id: string, goal: Goal, index: number): string {
  const share = shareOf(goal);
  const width = Math.round((Math.min(share, mostShares) / mostShares) * barWidth);
  const y = top + index * rowHeight;
  const colour = isHeld(goal) ? '#2e7d5b' : '#b5482f';
  const label = `${id} ${goal.what}`;
  return [
    `<text x="${labelWidth - 8}" y="${y + 15}" text-anchor="end">${escaped(label.length > 52 ? `${label.slice(0, 51)}…` : label)}</text>`,
    `<rect x="${labelWidth}" y="${y + 3}" width="${width}" height="${rowHeight - 10}" rx="2" fill="${colour}"/>`,
    `<text x="${labelWidth + width + 6}" y="${y + 15}">${escaped(figureText({ ...goal, low: goal.value, high: goal.value }))}${share > mostShares ? ' →' : ''}</text>`,
  ].join('');
}

/** A chart of how much of what is allowed each result uses; the line is the limit. */
export function chart(reports: readonly Report[]): string {
  const rows = reports.flatMap(({ id, goals }) => goals.map((goal) => ({ id, goal })));
  const height = top + rows.length * rowHeight + 10;
  const limit = labelWidth + barWidth / mostShares;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${labelWidth + barWidth + valueWidth}" height="${height}" font-family="system-ui, sans-serif" font-size="12" fill="#333">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${limit}" y="18" text-anchor="middle" fill="#666">allowed</text>`,
    ...rows.map(({ id, goal }, index) => row(id, goal, index)),
    `<line x1="${limit}" x2="${limit}" y1="24" y2="${height - 8}" stroke="#666" stroke-dasharray="4 3"/>`,
    '</svg>', '',
  ].join('\n');
}
