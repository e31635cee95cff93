import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../paths.ts';

/** What an operator reads. */
export const readRunbook = (): string => readFileSync(join(ROOT, 'docs', 'operations.md'), 'utf8');

/** A heading as an address names it. */
function slugOf(heading: string): string {
  return heading.toLowerCase().replace(/[^\p{L}\p{N}\s-]/gu, '').trim().replace(/\s+/g, '-');
}

/** The texts below the headings of one level, by the slugs of the headings. */
function sectionsOf(markdown: string, level: number): Record<string, string> {
  const [, ...parts] = markdown.split(new RegExp(`^${'#'.repeat(level)} `, 'm'));
  return Object.fromEntries(parts.map((part) => {
    const [heading = '', ...body] = part.split('\n');
    const text = body.join('\n').split(new RegExp(`^#{1,${level}} `, 'm'))[0]!;
    return [slugOf(heading), text.trim()];
  }));
}

/** What to do at each alert, by its name. */
export function alertSections(markdown: string): Record<string, string> {
  return sectionsOf(sectionsOf(markdown, 2)['alerts'] ?? '', 3);
}
