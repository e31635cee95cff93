import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../../tools/demo/frames/', import.meta.url);

/** The sample frames, base64, in order. */
export const frames: string[] = readdirSync(folder).filter((name) => name.endsWith('.jpg')).sort().map((name) => readFileSync(new URL(name, folder)).toString('base64'));
